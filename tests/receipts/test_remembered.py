"""What is remembered of messages that go out, until their receipts come."""

from __future__ import annotations

import pytest

from pumpguard.receipts import notes
from tests.receipts.app import PROVIDERS, App


async def test_a_message_under_no_decision_is_nobodys(app: App) -> None:
    """Its receipt is counted as foreign, and gives nothing back."""
    app.receipts.sent("twilio", "SM1", None)
    await app.told(PROVIDERS[0], "failed")
    assert app.receipts.snapshot() == {"twilio": {"unknown": {"foreign": 1}}}


async def test_older_messages_are_known_to_the_store(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process remembers so many itself."""
    monkeypatch.setattr(notes, "MAX_KNOWN", 2)
    decision = await app.send(PROVIDERS[0], "SM1")
    for n in range(2, 9):
        app.receipts.sent("twilio", f"SM{n}", decision)
    assert len(app.receipts._notes._known) == 2
    await app.settled()
    await app.told(PROVIDERS[0], "failed", "SM1")
    assert await app.allows()
