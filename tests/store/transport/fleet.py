"""Real servers to break: as many as a test wants, on loopback, and gone when the test is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from pumpguard.store.embedded import WATCH, _valkey

HOST = "127.0.0.1"
SLOTS = 16384


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on; asked for together, they differ."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition of the servers themselves; errors mean not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(RedisError, OSError):
            if found := true():
                return found
        time.sleep(0.02)
    raise TimeoutError("the servers did not get there")


class Server:
    """A Valkey on a port of its own, which can be stopped, continued, killed and started again.

    It dies with this process, however that ends: like the embedded server it runs beside a shell
    that waits on our end of a pipe.
    """

    def __init__(self, *options: str, config: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pumpguard-test-"))
        self.port, self._bus = free_ports(2)
        self._config = config
        self._options = options
        self._shell: subprocess.Popen[bytes] | None = None
        self.pid = 0
        self.start()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    @property
    def seed(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def socket(self) -> str:
        return str(self.folder / "s")

    def start(self) -> None:
        command = [_valkey(), *self._arguments()]
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = until(lambda: self.ask("INFO", "server")["process_id"])

    def _arguments(self) -> list[str]:
        common = ["--port", str(self.port), "--bind", HOST, "--dir", str(self.folder)]
        if self._config is not None:
            path = self.folder / "sentinel.conf"
            path.write_text(self._config)
            return [str(path), "--sentinel", *common]
        if "--cluster-enabled" in self._options:
            common += ["--cluster-port", str(self._bus)]
        local = ["--unixsocket", self.socket, "--save", "", "--appendonly", "no"]
        local += ["--shutdown-timeout", "0"]  # no waiting for replicas that lag behind
        return [*common, *local, *self._options]

    def ask(self, *command: Any) -> Any:
        """One command from outside, for looking and for breaking."""
        with Redis(host=HOST, port=self.port, socket_timeout=2, protocol=2) as client:
            return client.execute_command(*command)

    def opened(self) -> int:
        """How many connections it has accepted, but for the one that asks."""
        return int(self.ask("INFO", "stats")["total_connections_received"])

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """It accepts and never answers, for as long as this lasts."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """As the power cut does."""
        self.signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """End it and remove its folder; a server that was killed is only tidied up."""
        self._reap()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _reap(self) -> None:
        if self._shell is not None:
            self._shell.communicate(timeout=10)
            self._shell = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def cluster() -> Iterator[list[Server]]:
    """Three masters that know each other and share the slots out."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Server(*options)) for _ in range(3)]
        bounds = [SLOTS * i // 3 for i in range(4)]
        for i, node in enumerate(nodes):
            node.ask("CLUSTER", "ADDSLOTSRANGE", bounds[i], bounds[i + 1] - 1)
            for other in nodes[:i]:
                node.ask("CLUSTER", "MEET", HOST, other.port, other._bus)
        until(lambda: all(settled(node) for node in nodes))
        yield nodes


def settled(node: Server) -> bool:
    known = len(node.ask("CLUSTER", "SLOTS")) == 3
    return known and b"cluster_state:ok" in node.ask("CLUSTER", "INFO")


@contextlib.contextmanager
def watched_pair() -> Iterator[tuple[Server, Server, Server]]:
    """A master, its replica, and the sentinel that promotes the replica when the master dies."""
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(Server("--repl-diskless-sync-delay", "0"))
        replica = stack.enter_context(Server("--replicaof", HOST, str(master.port)))
        lines = (
            f"sentinel monitor shop {HOST} {master.port} 1",
            "sentinel down-after-milliseconds shop 300",
            "sentinel failover-timeout shop 3000",
        )
        sentinel = stack.enter_context(Server(config="\n".join(lines) + "\n"))
        for period in ("INFO-PERIOD", "PING-PERIOD", "PUBLISH-PERIOD"):
            sentinel.ask("SENTINEL", "DEBUG", period, 100)  # milliseconds; it looks very often
        until(lambda: replica.ask("INFO", "replication")["master_link_status"] == "up")
        until(lambda: sentinel.ask("SENTINEL", "REPLICAS", "shop"))
        yield master, replica, sentinel
