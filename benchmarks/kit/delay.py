"""A TCP proxy that holds every byte back for a while: a Redis at the end of a real network.

It runs as a process of its own, with threads that sleep: event loops round their timers to whole
milliseconds.
"""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 1 << 16


@contextmanager
def delayed(port: int, one_way: float) -> Iterator[int]:
    """Another port for ``port``, ``one_way`` seconds further away in each direction."""
    command = [sys.executable, "-m", __name__, str(port), str(one_way)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:  # noqa: S603
        assert proxy.stdout is not None
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.terminate()


def serve(port: int, one_way: float) -> None:
    """Accept connections until killed."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pipe: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                for work in (_read, _write):
                    ends = (one, pipe, one_way) if work is _read else (other, pipe, one_way)
                    threading.Thread(target=work, args=ends, daemon=True).start()


def _read(
    source: socket.socket, pipe: queue.SimpleQueue[tuple[float, bytes]], one_way: float
) -> None:
    while True:
        try:
            data = source.recv(CHUNK)
        except OSError:
            data = b""
        pipe.put((time.monotonic() + one_way, data))
        if not data:
            return


def _write(target: socket.socket, pipe: queue.SimpleQueue[tuple[float, bytes]], _: float) -> None:
    while True:
        due, data = pipe.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)
        except OSError:
            return


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
