"""A seeded fault for `answers`: the same web, but its pages wait three seconds for the worker instead of 0.8."""

import os
from urllib.parse import urlsplit

from werkzeug.serving import make_server

from app import create_app


def main() -> None:
    web = create_app()
    web.config["PATIENCE"] = 3.0
    host, port = urlsplit("//" + os.environ["REMEDIATION_BIND"]).netloc.rsplit(":", 1)
    make_server(host, int(port), web, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
