"""Real servers to break: as many as a test wants, on loopback, and gone when the test is."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from pumpguard.store.embedded import WATCH, _valkey

HOST = "127.0.0.1"
SLOTS = 16384

Pair: TypeAlias = "tuple[Server, Server, Server]"
"""Master, replica, sentinel."""


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


@cache
def version(program: str) -> int:
    """The major version that a server says it is."""
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    [major] = re.findall(r"v=(\d+)\.", said.stdout)
    return int(major)


@dataclass(frozen=True)
class Certificate:
    """What a server shows, and what it wants its clients to show if they ``must_show`` anything.

    It signs itself, so it is also the authority that all sides trust.
    """

    file: Path
    key: Path
    must_show: bool = False

    def options(self) -> list[str]:
        """TLS everywhere: for clients, for replicas and between the nodes of a cluster."""
        told = ["--tls-cert-file", str(self.file), "--tls-key-file", str(self.key)]
        told += ["--tls-ca-cert-file", str(self.file), "--tls-replication", "yes"]
        return [*told, "--tls-auth-clients", "yes" if self.must_show else "no"]


class Server:
    """A server on a port of its own, which can be stopped, continued, killed and started again.

    It is a Valkey, or what ``program`` is. With a ``certificate`` it speaks nothing but TLS. It
    dies with this process, however that ends: like the embedded server it runs beside a shell that
    waits on our end of a pipe.
    """

    def __init__(
        self,
        *options: str,
        config: str | None = None,
        program: str | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pumpguard-test-"))
        self.port, self._bus = free_ports(2)
        self._config = config
        self._program = program or _valkey()
        self._certificate = certificate
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
        command = [self._program, *self._arguments()]
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = until(lambda: self.ask("INFO", "server")["process_id"])

    def _arguments(self) -> list[str]:
        common = ["--bind", HOST, "--dir", str(self.folder)]
        if self._certificate is None:
            common += ["--port", str(self.port)]
        else:
            common += ["--port", "0", "--tls-port", str(self.port), *self._certificate.options()]
        if self._config is not None:
            path = self.folder / "sentinel.conf"
            path.write_text(self._config)
            return [str(path), "--sentinel", *common]
        if "--cluster-enabled" in self._options:
            common += ["--cluster-port", str(self._bus)]
            common += ["--tls-cluster", "yes"] if self._certificate is not None else []
        local = ["--unixsocket", self.socket, "--save", "", "--appendonly", "no"]
        if version(self._program) >= 7:
            local += ["--shutdown-timeout", "0"]  # no waiting for replicas that lag behind
        return [*common, *local, *self._options]

    def ask(self, *command: Any) -> Any:
        """One command from outside, for looking and for breaking."""
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            file, key = str(self._certificate.file), str(self._certificate.key)
            tls = {"ssl": True, "ssl_ca_certs": file, "ssl_certfile": file, "ssl_keyfile": key}
            tls["ssl_check_hostname"] = False
        with Redis(host=HOST, port=self.port, socket_timeout=2, protocol=2, **tls) as client:
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
def cluster(*more: str, **kind: Any) -> Iterator[list[Server]]:
    """Three masters that know each other and share the slots out."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *more)
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Server(*options, **kind)) for _ in range(3)]
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
def moving(nodes: list[Server], tag: str) -> Iterator[tuple[Callable[..., None], Server, Server]]:
    """The slot of a tag on its way to another node; the move is completed in the end."""
    slot = key_slot(tag.encode())
    owners = {node.port: node for node in nodes}
    rows = nodes[0].ask("CLUSTER", "SLOTS")
    [port] = [where[1] for first, last, where, *_ in rows if first <= slot <= last]
    source = owners[port]
    target = next(node for node in nodes if node is not source)
    ids = {node.port: node.ask("CLUSTER", "MYID").decode() for node in nodes}
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])

    def migrate(*keys: str) -> None:
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    try:
        yield migrate, source, target
    finally:
        rest = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if rest:
            migrate(*(key.decode() for key in rest))
        for node in (target, source, *nodes):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])


@contextlib.contextmanager
def watched_pair(**kind: Any) -> Iterator[Pair]:
    """A master, its replica, and the sentinel that promotes the replica when the master dies."""
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(Server("--repl-diskless-sync-delay", "0", **kind))
        replica = stack.enter_context(Server("--replicaof", HOST, str(master.port), **kind))
        lines = (
            f"sentinel monitor shop {HOST} {master.port} 1",
            "sentinel down-after-milliseconds shop 300",
            "sentinel failover-timeout shop 3000",
        )
        sentinel = stack.enter_context(Server(config="\n".join(lines) + "\n", **kind))
        for period in ("INFO-PERIOD", "PING-PERIOD", "PUBLISH-PERIOD"):
            sentinel.ask("SENTINEL", "DEBUG", period, 100)  # milliseconds; it looks very often
        until(lambda: replica.ask("INFO", "replication")["master_link_status"] == "up")
        until(lambda: sentinel.ask("SENTINEL", "REPLICAS", "shop"))
        yield master, replica, sentinel
