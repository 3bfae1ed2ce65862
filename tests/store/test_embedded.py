"""The embedded server: real, private, and gone when its process is."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.embedded import EmbeddedServer

PARENT = """
import sys
from pumpguard.store.embedded import EmbeddedServer
print(EmbeddedServer().start().url, flush=True)
sys.stdin.read()
"""


def answers(url: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(url.removeprefix("unix://"))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def test_it_answers_and_leaves_nothing_behind() -> None:
    """Started, it is a server; stopped, its folder is gone."""
    with EmbeddedServer() as server:
        url = server.url
        assert answers(url)
        assert server.start() is server
    assert not answers(url)
    assert not Path(url.removeprefix("unix://")).parent.exists()
    server.stop()


def test_it_has_no_url_before_it_runs() -> None:
    """Using it too early says so."""
    with pytest.raises(StoreError, match="not running"):
        _ = EmbeddedServer().url


def test_a_program_that_is_no_server_is_reported() -> None:
    """A wrong executable is an error, not a hang."""
    with pytest.raises(StoreError, match="did not start"):
        EmbeddedServer("/bin/false", patience=0.2).start()


def test_it_dies_with_its_process_however_that_ends() -> None:
    """After a kill -9 no server is left running."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert answers(url)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 10
    while answers(url) and time.monotonic() < until:
        pass
    assert not answers(url)
    parent.stdout.close()
    assert parent.stdin is not None
    parent.stdin.close()
