"""Serves one app on a socket that the test has opened: ``python -m tests.frameworks.serve``."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from typing import Literal

import uvicorn
from starlette.middleware.cors import CORSMiddleware


def main(descriptor: int, name: str, lifespan: Literal["auto", "on", "off"]) -> None:
    """Serve ``tests.frameworks.apps.<name>`` in this process."""
    app = importlib.import_module(f"tests.frameworks.apps.{name}").app
    if os.environ.get("IN_FRONT"):
        app = CORSMiddleware(app, ["*"], ["*"], ["*"])
    config = uvicorn.Config(
        app, lifespan=lifespan, log_level="warning", proxy_headers=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])  # type: ignore[arg-type]
