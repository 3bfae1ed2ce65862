"""An app of this suite in a process of its own, behind a real server, and a client in front."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[2]
PATIENT = 60.0
"""Seconds for anything: a busy machine must not look like a fault."""

WORDS = {"content-type": "application/json"}


class Served:
    """One app; ``command`` makes the server's arguments of the socket's descriptor."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        self._command = command
        self._environment = environment
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            self.outbox, self._log = folder / "outbox", folder / "log"
            self.outbox.touch()
            listening = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            fd = listening.fileno()
            environment = {**os.environ, **self._environment, "OUTBOX": str(self.outbox)}
            log = held.enter_context(self._log.open("wb"))
            self.process = subprocess.Popen(
                [sys.executable, *(part.format(fd=fd) for part in self._command)],
                cwd=ROOT, env=environment, pass_fds=[fd], stdout=log, stderr=log,
            )  # fmt: skip
            held.callback(self._stop)
            self.client = held.enter_context(self._client())
            self._held = held.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def _client(self) -> httpx.Client:
        # A connection for each request: a server closes its own when the app raises.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self.url, timeout=PATIENT, limits=limits)

    def _stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def log(self) -> str:
        """What the server and the app have said so far."""
        return self._log.read_text("utf-8", "replace")

    def sent(self, phone: str) -> list[str]:
        """The texts that were sent to a number."""
        lines = self.outbox.read_text("utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == phone]

    def ask(
        self, phone: str, path: str = "/otp/send", note: str = "hello", **options: Any
    ) -> httpx.Response:
        """Ask for a code in JSON."""
        return self.client.post(path, json={"phone": phone, "note": note}, **options)

    def post(
        self, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str] = WORDS
    ) -> httpx.Response:
        """Post bytes; several are sent in chunks."""
        return self.client.post(path, content=body, headers=headers)

    def json(self, path: str) -> Any:
        return json.loads(self.client.get(path).text)
