"""CORS in front of a WSGI app, as a proxy in front of gunicorn answers for it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ_BY_ALL = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")]


def with_cors_in_front(app: WSGIApplication) -> WSGIApplication:
    """The app, where nothing is in front; else what any page may read."""
    if "IN_FRONT" not in os.environ:
        return app

    def in_front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", READ_BY_ALL)
            return []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *READ_BY_ALL], exc_info)

        return app(environ, start)

    return in_front
