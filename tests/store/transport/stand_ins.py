"""Things on the way to a server, and servers that misbehave as no real one can be made to."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pumpguard.store.transport.connection import Connection
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.resp import NOTHING
from pumpguard.store.transport.resp import reader as resp_reader

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


class Accepted(asyncio.StreamReaderProtocol):
    """A connection that is known from its first moment, before its handler's task has begun."""

    def __init__(self, serve: Handler, open_now: set[asyncio.BaseTransport]) -> None:
        super().__init__(asyncio.StreamReader(), serve)
        self._open_now = open_now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open_now.add(transport)
        super().connection_made(transport)


@asynccontextmanager
async def listening(handle: Handler, **options: Any) -> AsyncIterator[int]:
    """A server on a port of its own whose connections all end with it."""
    open_now: set[asyncio.BaseTransport] = set()
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.transport.abort()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Accepted(serve, open_now), "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # Who connected a moment ago must get as far as having a transport: a server that closes
        # between the two leaves the socket open for the garbage collector to complain about.
        for _ in range(5):
            await asyncio.sleep(0)
        server.close()
        for transport in open_now:
            transport.abort()  # type: ignore[attr-defined]
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await server.wait_closed()


@dataclass
class Fake:
    """A server that answers as it is told, and remembers what it heard.

    ``answer`` gets a command and gives bytes; ``None`` hangs up and ``b""`` stays silent. With
    ``hang_up_after`` it hangs up as soon as it has said something, or nothing.
    """

    answer: Callable[[list[bytes]], bytes | None]
    heard: list[list[bytes]] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    hang_up_after: bool = False

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def verbs(self) -> list[bytes]:
        return [command[0] for command in self.heard]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        commands = resp_reader()
        while data := await reader.read(65_536):
            commands.feed(data)
            while (command := commands.gets()) is not NOTHING:
                self.heard.append(command)
                reply = self.answer(command)
                if reply is None:
                    return
                writer.write(reply)
                if self.hang_up_after:
                    await writer.drain()
                    writer.close()
                    return


def packed(value: Any) -> bytes:
    """A reply as a server writes it."""
    match value:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % value
        case str():
            return b"$%d\r\n%b\r\n" % (len(value), value.encode())
    return b"*%d\r\n" % len(value) + b"".join(map(packed, value))


@asynccontextmanager
async def fake(
    answer: bytes | Callable[[list[bytes]], bytes | None], **options: Any
) -> AsyncIterator[Fake]:
    """A running `Fake`; bytes are its answer to everything."""
    it = Fake((lambda _: answer) if isinstance(answer, bytes) else answer)
    async with listening(it.serve, **options) as it.port:
        yield it


@asynccontextmanager
async def forwarding(path: str, **options: Any) -> AsyncIterator[int]:
    """A proxy to a Unix socket; with ``ssl=`` it takes TLS off on the way."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = await asyncio.open_unix_connection(path)
        try:
            await asyncio.gather(pump(reader, outward), pump(inward, writer))
        finally:
            outward.transport.abort()

    async with listening(forward, **options) as port:
        yield port


@dataclass
class Firewall:
    """A way to a Unix socket that may forget its connections: then what is sent on them is lost,
    and neither side hears of it."""

    path: str
    port: int = 0
    connections: int = 0
    forgotten: int = 0

    def forget(self) -> None:
        """Forget all connections that are open now."""
        self.forgotten = self.connections

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        mine = self.connections
        inward, outward = await asyncio.open_unix_connection(self.path)

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                if mine > self.forgotten:
                    writer.write(data)

        try:
            await asyncio.gather(pump(reader, outward), pump(inward, writer))
        finally:
            outward.transport.abort()


@asynccontextmanager
async def firewall(path: str) -> AsyncIterator[Firewall]:
    """A running `Firewall`."""
    it = Firewall(path)
    async with listening(it.serve) as it.port:
        yield it


def throwaway_certificate(
    folder: Path, names: str = "DNS:localhost"
) -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody else trusts, and a server that shows it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key)]
    command += ["-addext", f"subjectAltName={names}", "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


@dataclass(frozen=True)
class CountedWrites(Endpoint):
    """An endpoint whose connections note the size of every write."""

    sizes: list[int] = field(default_factory=list, compare=False)

    async def connect(self, protocol: asyncio.Protocol) -> None:
        assert isinstance(protocol, Connection)
        await Endpoint.connect(self, protocol)
        protocol._transport = _Counted(protocol._transport, self.sizes)  # type: ignore[assignment]


class _Counted:
    def __init__(self, transport: Any, sizes: list[int]) -> None:
        self._transport = transport
        self._sizes = sizes

    def write(self, data: bytes) -> None:
        self._sizes.append(len(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
