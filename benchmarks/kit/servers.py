"""Servers to measure on, and what they say about themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from pumpguard.store.embedded import EmbeddedServer

SCRIPT_COMMANDS = ("cmdstat_evalsha", "cmdstat_eval", "cmdstat_fcall")


@dataclass(frozen=True, slots=True)
class Reading:
    """A server's own counters at one moment."""

    cpu: float
    commands: int
    reads: int

    def __sub__(self, earlier: Reading) -> Reading:
        """What happened since, without the question that asked for the earlier reading."""
        return Reading(
            self.cpu - earlier.cpu,
            self.commands - earlier.commands - 1,
            self.reads - earlier.reads - 1,
        )


class Server:
    """A real server over TCP, so that every peer can reach it the same way."""

    def __init__(self, embedded: EmbeddedServer) -> None:
        self.admin: Any = redis.Redis.from_url(embedded.url)
        self.port = free_port()
        self.admin.config_set("port", self.port)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.pid = int(self.admin.info("server")["process_id"])

    @property
    def version(self) -> str:
        """What it is."""
        found = self.admin.info("server")
        name = found.get("server_name", "redis")
        return f"{name} {found.get('valkey_version', found['redis_version'])}"

    def reading(self) -> Reading:
        """The counters now, in one question."""
        found = self.admin.info("all")
        return Reading(
            cpu=found["used_cpu_user"] + found["used_cpu_sys"],
            commands=found["total_commands_processed"],
            reads=found["total_reads_processed"],
        )

    def script_time(self) -> tuple[int, int]:
        """How often scripts were called since the last reset, and their microseconds."""
        found = self.admin.info("commandstats")
        stats = [found[name] for name in SCRIPT_COMMANDS if name in found]
        return sum(s["calls"] for s in stats), sum(s["usec"] for s in stats)

    def reset_stats(self) -> None:
        """Start `script_time` anew."""
        self.admin.config_resetstat()

    def used_memory(self) -> int:
        """Bytes in use."""
        return int(self.admin.info("memory")["used_memory"])

    def keys(self) -> tuple[int, int]:
        """How many keys there are, and how many of them never expire."""
        found = self.admin.info("keyspace").get("db0", {"keys": 0, "expires": 0})
        return int(found["keys"]), int(found["keys"] - found["expires"])

    def clear(self) -> None:
        """Forget all keys; scripts stay."""
        self.admin.flushall()

    def close(self) -> None:
        """Let go of the connection."""
        self.admin.close()


@contextmanager
def server(executable: str | None = None) -> Iterator[Server]:
    """A server of one's own: the embedded Valkey, or the given program."""
    with EmbeddedServer(executable) as embedded:
        opened = Server(embedded)
        try:
            yield opened
        finally:
            opened.close()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
