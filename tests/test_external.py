"""External services: where they may be, and when they are not asked."""

from __future__ import annotations

import asyncio

import pytest

from pumpguard.external import FAULTS, PAUSE, ExternalService, Unavailable, is_safe
from pumpguard.testing import FakeClock


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://api.example/x", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://[::1]/x", True),
        ("http://api.example/x", False),
        ("http://localhost.example/x", False),
        ("ftp://api.example/x", False),
        ("", False),
    ],
)
def test_nobody_on_the_way_reads_what_is_sent(url: str, safe: bool) -> None:
    """Encrypted, or not leaving this machine."""
    assert is_safe(url) is safe


async def test_a_service_is_paused_after_faults_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    """An answer between them begins anew; the pause ends by itself."""
    clock = FakeClock()
    service = ExternalService(1.0, clock, "no answer (%s) for %d s")

    async def fails(_: object) -> int:
        raise OSError

    async def answers(_: object) -> int:
        return 7

    for _ in range(2):
        for _ in range(FAULTS - 1):
            with pytest.raises(Unavailable):
                await service.ask(fails)
        assert await service.ask(answers) == 7
    for _ in range(FAULTS):
        assert not service.is_paused
        with pytest.raises(Unavailable):
            await service.ask(fails)
    assert service.is_paused
    assert "no answer (OSError) for 30 s" in caplog.text
    with pytest.raises(Unavailable):
        await service.ask(answers)
    clock.advance(PAUSE)
    assert await service.ask(answers) == 7


def test_every_event_loop_has_a_client_of_its_own() -> None:
    """And keeps it until it is closed."""
    service = ExternalService(1.0, FakeClock(), "%s %d")

    async def use() -> None:
        client = service.client()
        assert service.client() is client
        await service.aclose()
        assert client.is_closed
        again = service.client()
        assert again is not client
        await service.aclose()

    asyncio.run(use())
    asyncio.run(use())
