"""What a decision costs under WSGI: Flask behind gunicorn, bare and guarded, asked in turns.

Run it: ``python -m benchmarks.wsgi``. Each request is one connection, as gunicorn's sync workers
have it. The default chain, verifications and a real Valkey; a new number and address every time, so
that every message is admitted.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask, request

from pumpguard import Policy
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.wsgi import PumpGuardWSGI

REQUESTS, WARM_UP = 1_500, 200
WORKERS = {"sync": (), "gthread": ("--worker-class", "gthread", "--threads", "4")}
TICK = os.sysconf("SC_CLK_TCK")


def app(store: str = "") -> Any:
    """A Flask app that reads a number and answers; guarded if there is a store."""
    flask = Flask(__name__)

    @flask.post("/otp/send")
    def send() -> tuple[dict[str, str], int]:
        return {"to": request.get_json()["phone"]}, 202

    if store:
        policy = Policy(
            send="/otp/send", verify="/otp/verify", home=["GB"], daily_budget=1e6,
            proxies=["127.0.0.0/8"], deadline=1.0,
        )  # fmt: skip
        flask.wsgi_app = PumpGuardWSGI(flask.wsgi_app, policy, store)  # type: ignore[method-assign]
    return flask


@contextmanager
def served(store: str, workers: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The port, and the id of the one worker's parent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, fd = listening.getsockname()[1], listening.fileno()
        command = ["-m", "gunicorn", "--bind", f"fd://{fd}", "--log-level", "error", *workers]
        made = f"benchmarks.wsgi:app({store!r})"
        process = subprocess.Popen([sys.executable, *command, made], pass_fds=[fd])  # noqa: S603
        try:
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def ask(port: int, n: int) -> float:
    """Ask for a code; the seconds until the whole answer was there."""
    address = f"81.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    headers = {"content-type": "application/json", "x-forwarded-for": address}
    body = json.dumps({"phone": f"+447400{n * 7919 % 1_000_000:06}"})
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/otp/send", body, headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    if reply.status != 202:
        raise RuntimeError(f"answered {reply.status}")
    return time.perf_counter() - began


def cpu(parent: int) -> float:
    """Seconds of CPU that the workers of this parent have used."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = 0
    for pid in children:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def main() -> None:
    """Measure both kinds of workers, and print."""
    for name, options in WORKERS.items():
        with EmbeddedServer() as valkey, ExitStack() as held:
            bare, bare_pid = held.enter_context(served("", options))
            guarded, guarded_pid = held.enter_context(served(valkey.url, options))
            for n in range(WARM_UP):
                ask(bare, n), ask(guarded, n)
            before = cpu(bare_pid), cpu(guarded_pid)
            times = [(ask(bare, n), ask(guarded, n)) for n in range(WARM_UP, REQUESTS)]
            after = cpu(bare_pid), cpu(guarded_pid)
        plain, with_guard = (median(column) * 1e6 for column in zip(*times, strict=True))
        used = [
            (late - early) / len(times) * 1e6 for early, late in zip(before, after, strict=True)
        ]
        print(
            f"{name}: bare {plain:.0f} us, guarded {with_guard:.0f} us, "
            f"ratio {with_guard / plain:.2f}; CPU of the worker {used[0]:.0f} and {used[1]:.0f} us"
        )


if __name__ == "__main__":
    main()
