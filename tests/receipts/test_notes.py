"""Nothing is counted twice and nothing is lost: receipts that come twice, early, late or while the
store is away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pumpguard import Guard, Policy, StoreError
from pumpguard.outcomes import Ticket
from pumpguard.receipts import Receipts
from pumpguard.receipts.notes import LEASE, MAX_KNOWN, Note, Notes
from pumpguard.rules import RateLimit
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock
from tests.receipts.app import PHONE, TWILIO, App, each, each_that_gives_back
from tests.receipts.app import PROVIDERS as EACH
from tests.receipts.signing import TOKEN, URL, Provider


@each
@pytest.mark.parametrize("word", ["delivered", "undelivered", "failed", "unallocated"])
async def test_twice_is_counted_once(app: App, provider: Provider, word: str) -> None:
    """Whatever it says."""
    if word not in provider.words:
        return
    await app.send(provider)
    sent = provider.report("SM1", word, app.clock())
    for _ in range(3):
        assert (await app.post(provider, sent)).status == 204
    await app.settled()
    assert app.heard.words == [word]
    [entry] = [each["GB"] for each in app.receipts.snapshot().values()]
    assert entry[word] == 1


@each_that_gives_back
async def test_twice_is_once(app: App, provider: Provider) -> None:
    """The same receipt again gives nothing back a second time."""
    await app.send(provider)
    sent = provider.report("SM1", "failed", app.clock())
    for _ in range(3):
        await app.post(provider, sent)
        await app.settled()
    assert await app.allows()  # which takes it
    await app.post(provider, sent)
    await app.settled()
    assert not await app.allows()


@each_that_gives_back
async def test_a_receipt_may_be_faster_than_the_answer(
    clock: FakeClock, provider: Provider
) -> None:
    """It is kept until the sender says whose message it is."""
    app = App(MemoryStore(), clock, pauses=(30.0,))
    decision = await app.guard.assess(app.guard.attempt(PHONE))
    reply = await app.post(provider, provider.report("SM1", "failed", clock()))
    assert reply.status == 204
    await asyncio.sleep(0.01)
    assert not await app.allows()
    app.sent(provider, "SM1", decision)
    await app.settled()
    assert await app.allows()
    await app.guard.aclose()


async def test_another_process_takes_it(apps: tuple[App, App]) -> None:
    """What was sent here is known there: the ticket lies in the store, sealed."""
    here, there = apps
    await here.send(TWILIO)
    await here.settled()
    await there.told(TWILIO, "failed")
    assert await here.allows()


async def test_twice_at_once_and_by_two_processes(apps: tuple[App, App]) -> None:
    """The one that is too late is asked to come again; then it changes nothing, anywhere."""
    here, there = apps
    await here.send(TWILIO)
    await here.settled()
    sent = TWILIO.report("SM1", "delivered", here.clock())
    replies = await asyncio.gather(*(app.post(TWILIO, sent) for app in (here, there) * 4))
    assert {reply.status for reply in replies} <= {204, 503}
    for app in (here, there):
        assert (await app.post(TWILIO, sent)).status == 204
    assert here.heard.words + there.heard.words == ["delivered"]


@pytest.mark.parametrize(("age", "given_back"), [(3_600, True), (86_401, False)])
async def test_an_old_receipt(app: App, age: int, given_back: bool) -> None:
    """An hour later it counts as at once; after a day (``outcomes.seconds``) the ticket has closed,
    and it changes nothing."""
    limit = RateLimit(name="phone_limit", by="phone", limits="1/90 hours")
    app.guard = Guard(Policy(send="/s", settled=True, rules=[limit]), clock=app.clock)
    app.receipts = Receipts(app.guard, url=URL, twilio=TOKEN, clock=app.clock, pauses=())
    await app.send(TWILIO)
    app.clock.advance(age)
    await app.told(TWILIO, "failed")
    assert await app.allows() is given_back


class Away(MemoryStore):
    """Cannot be asked for notes while it is away, or given any."""

    away = False

    async def recall(self, name: str, at: float | None = None) -> str | None:
        if self.away:
            raise StoreError("away")
        return await super().recall(name, at)

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        if self.away:
            raise StoreError("away")
        await super().remember(name, text, seconds, at)


def of_another_process(app: App) -> App:
    """As if the message had been sent by another one."""
    app.receipts._notes._known.clear()
    return app


async def test_while_the_store_is_away_the_provider_is_asked_to_come_again(
    clock: FakeClock,
) -> None:
    """And for those who do not, it is kept for a minute as well; it counts once."""
    store = Away()
    app = App(store, clock, pauses=(0.001, 0.05, 5.0))
    await app.send(TWILIO)
    await app.settled()
    of_another_process(app)
    store.away = True
    sent = TWILIO.report("SM1", "failed", clock())
    assert (await app.post(TWILIO, sent)).status == 503
    await asyncio.sleep(0.01)
    assert app.heard.words == []
    store.away = False
    assert (await app.post(TWILIO, sent)).status == 204
    await app.settled()
    assert await app.allows()
    assert app.heard.words == ["failed"]
    await app.guard.aclose()


async def test_a_store_that_stays_away(clock: FakeClock) -> None:
    """Then a receipt of which no provider speaks again is lost, and is counted as that."""
    store = Away()
    app = App(store, clock, pauses=(0.001, 0.001))
    store.away = True
    assert (await app.post(TWILIO, TWILIO.report("SM1", "failed", clock()))).status == 503
    await app.settled()
    assert app.receipts.snapshot() == {"twilio": {"unknown": {"lost": 1}}}
    await app.guard.aclose()


async def test_who_sent_it_needs_no_store_to_know_it(clock: FakeClock) -> None:
    """The process that sent a message knows whose it is by itself."""
    store = Away()
    app = App(store, clock)
    store.away = True
    await app.send(TWILIO)
    await app.told(TWILIO, "delivered")
    assert app.receipts.snapshot()["twilio"] == {
        "GB": {"delivered": 1}, "unknown": {"not_remembered": 2},
    }  # fmt: skip
    await app.guard.aclose()


async def test_who_dies_at_a_receipt(clock: FakeClock) -> None:
    """Another takes it after a minute, and until then the provider is asked to come again."""
    app = App(MemoryStore(), clock)
    app.guard.store.overrides._clock = clock  # type: ignore[attr-defined]
    await app.send(TWILIO)
    await app.settled()
    assert await Notes(app.guard).begin("receipt twilio SM1", "failed")  # and then it dies
    clock.advance(1)
    sent = TWILIO.report("SM1", "failed", clock())
    assert (await app.post(TWILIO, sent)).status == 503
    assert app.heard.words == []
    clock.advance(LEASE + 1)
    assert (await app.post(TWILIO, sent)).status == 204
    await app.settled()
    assert await app.allows()
    await app.guard.aclose()


async def test_in_any_order(app: App) -> None:
    """Each word counts once; the first one about a message's cost holds."""
    await app.send(TWILIO)
    for word in ("on its way", "undelivered", "failed", "delivered", "undelivered", "on its way"):
        await app.told(TWILIO, word)
    assert app.heard.words == ["undelivered", "failed", "delivered"]
    assert await app.allows()


async def test_a_note_that_nobody_can_read(app: App) -> None:
    """As another release may have written it."""
    await app.guard.store.remember("receipt twilio SM1", "0 ticket", 60, app.clock())
    await app.told(TWILIO, "failed")
    assert app.receipts.snapshot() == {"twilio": {"unknown": {"foreign": 1}}}


async def test_too_long_a_ticket_is_known_here_alone(app: App) -> None:
    """A note has 1,024 characters: an app with long values of its own settles by itself."""
    found = await app.guard.assess(app.guard.attempt(PHONE))
    extra = {f"x{i}": "y" * 100 for i in range(12)}
    decision = replace(found, attempt=replace(found.attempt, extra=extra))
    assert len(str(Ticket.of(decision))) > 1_024
    app.sent(TWILIO, "SM1", decision)
    await app.settled()
    assert app.receipts.snapshot() == {"twilio": {"unknown": {"not_remembered": 1}}}
    await app.told(TWILIO, "failed")
    assert await app.allows()


async def test_what_was_decided_without_a_ticket_is_not_remembered(app: App) -> None:
    """Nor what no decision stands behind."""
    found = await app.guard.decide(app.guard.attempt(PHONE))
    for decision in (None, replace(found, reservation=b"")):
        app.receipts.sent("twilio", "SM2", decision)
    assert not app.receipts._notes._known


def test_a_process_knows_so_many_by_itself() -> None:
    """The oldest are left to the store."""
    notes = Notes(Guard(Policy(send="/s", rules=[])))
    for i in range(MAX_KNOWN + 1):
        notes.know(str(i), Note(i, "ticket"))
    assert len(notes._known) == MAX_KNOWN
    assert "0" not in notes._known


async def test_so_many_carriers_are_told_apart(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are one, so that no provider makes series without end."""
    monkeypatch.setattr("pumpguard.receipts.CARRIERS", 2)
    sinch: Any = next(each for each in EACH if each.name == "sinch")
    for i, carrier in enumerate(("1", "2", "3", "4", "2", "x" * 41, "a\nb")):
        monkeypatch.setattr("tests.receipts.keyed.CARRIER", carrier)
        app.clock.advance(3_601)
        await app.send(sinch, str(i))
        await app.told(sinch, "delivered", str(i))
    said = [each.carrier for each in app.heard.reported_]
    assert said == ["1", "2", "other", "other", "2", "", ""]
