"""A seeded fault for `secrets`: the same web, with the log of addresses that most servers keep."""

import os
import sys
from urllib.parse import urlsplit

from flask import request
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from app import create_app


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """`note` does it."""


def main() -> None:
    web = create_app()

    @web.after_request
    def note(answer: Response) -> Response:
        sys.stderr.write(f"{request.remote_addr} {request.method} {request.full_path} {answer.status}\n")
        return answer

    host, port = urlsplit("//" + os.environ["REMEDIATION_BIND"]).netloc.rsplit(":", 1)
    make_server(host, int(port), web, threaded=True, request_handler=_Quiet).serve_forever()


if __name__ == "__main__":
    main()
