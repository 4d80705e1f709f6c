"""Each answer is counted for the monitoring system, where there is one: by the route's own pattern and never by the address, which
names people and devices.
"""

from time import perf_counter

from flask import Flask, Response, g, request

from ..ports import Meter

NO_ROUTE = "none"


def install(app: Flask, meter: Meter) -> None:
    app.before_request(_begin)

    @app.after_request
    def count(answer: Response) -> Response:
        rule = request.url_rule
        route, known = (rule.rule, rule.methods or set()) if rule is not None else (NO_ROUTE, set())
        method = request.method if request.method in known else "other"
        meter.answered(method, route, answer.status_code, perf_counter() - g.get("begun", perf_counter()))
        return answer


def _begin() -> None:
    g.begun = perf_counter()
