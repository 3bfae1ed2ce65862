"""A real uvicorn in a process of its own, for attacks over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
APP = "examples.target_app.app:app"
STARTS_WITHIN = 30.0
EMPTY: Mapping[str, str] = {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(
    *,
    guard: bool,
    policy: Path | None = None,
    factory: str | None = None,
    environ: Mapping[str, str] = EMPTY,
    workers: int = 1,
) -> AsyncIterator[str]:
    """Serve the example app on a free port, or the app that a factory makes, by so many processes;
    yields its URL once it answers. ``environ`` is added to its environment."""
    port = _free_port()
    environment = os.environ | {
        "TARGET_APP_GUARD": "on" if guard else "off",
        "TARGET_APP_SIMULATED_TIME": "1",
        "TARGET_APP_POLICY": str(policy or ""),
        # State from an earlier run would spoil this one: each server starts an empty store.
        "PUMPGUARD_REDIS_URL": "",
        **environ,
    }
    app = (APP,) if factory is None else (factory, "--factory")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", *app, "--app-dir", str(ROOT), "--port", str(port)),
        # The guard itself must see the proxy's header and decide whether to believe it.
        *("--no-proxy-headers", "--no-access-log", "--log-level", "warning"),
        *("--workers", str(workers)),
        env=environment,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await _healthy(url, process)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _healthy(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for _ in range(round(STARTS_WITHIN / 0.1)):
            if process.returncode is not None:
                raise RuntimeError(f"the server ended with code {process.returncode}")
            try:
                if (await client.get("/otp/billing")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(f"the server did not answer within {STARTS_WITHIN:.0f} s")
