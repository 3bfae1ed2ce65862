"""What of a log is evidence, and how numbers and addresses are told in it."""

from __future__ import annotations

import pytest

from pumpguard.overrides.lists import keyed_hash
from pumpguard.replay.episodes import Episode, Part
from pumpguard.replay.evidence import refusal
from pumpguard.replay.journal import Played
from pumpguard.replay.summary import Telling

AT = 1_777_800_000.0
HASHED = keyed_hash("sixteen bytes or more")

EVENT = {
    "event_dataset": "pumpguard.decision",
    "event_action": "block",
    "@timestamp": "2026-05-03T09:20:00.000Z",
    "source_ip": "81.2.69.0",
    "pumpguard_number_masked": "+447400123•••",
    "pumpguard_number_hash": "5419ef0030109c43ecd2",
    "pumpguard_number_country": "GB",
    "pumpguard_number_block": "+447400123",
}


def entry(phone: str = "+994554925001", at: float = AT, *, verified: bool = False) -> Played:
    return Played(
        number=0, at=at, phone=phone, address="185.40.32.7", session=None, price=None, sent=True,
        is_verification=False, verified=verified,
    )  # fmt: skip


@pytest.mark.parametrize("group", ["block +994554925", "block +99455492", "country AZ",
                                   "address 185.40.32.7", "everything"])  # fmt: skip
def test_a_message_belongs_to_an_attack_on_its_range_country_or_from_its_address(
    group: str,
) -> None:
    """If it was sent in the time of that, and nobody entered a code for it."""
    attack = Episode(AT - 90, AT + 90, parts=[Part(AT - 60, AT + 60, group)])
    assert attack.has(entry())
    assert not attack.has(entry(verified=True))
    assert not attack.has(entry()._replace(sent=False))
    assert not attack.has(entry(at=AT + 61))
    other = Episode(AT - 60, AT + 60, parts=[Part(AT - 60, AT + 60, "country GB")])
    assert not other.has(entry())


@pytest.mark.parametrize(
    ("shown", "clear", "number"),
    [
        ("masked", "+447400123456", "+447400123•••"),
        ("whole", "+447400123456", "+447400123456"),
        ("whole", None, "+447400123•••"),
        ("hashed", None, "#5419ef0030109c43ecd2"),
    ],
)
def test_a_refusal_tells_a_number_as_it_is_asked_for_and_as_the_event_can(
    shown: str, clear: str | None, number: str
) -> None:
    row = EVENT if clear is None else {**EVENT, "pumpguard_number_e164": clear}
    found = refusal(row, Telling(shown, "masked", HASHED))  # type: ignore[arg-type]
    assert found is not None
    assert found.number == number


def test_a_refusal_never_tells_more_of_an_address_than_it_may() -> None:
    """What an event has hashed or masked stays so; what it has whole is masked here."""

    def told(address: str, shown: str) -> str:
        row = {**EVENT, "source_ip": address}
        found = refusal(row, Telling("masked", shown, HASHED))  # type: ignore[arg-type]
        assert found is not None
        return found.address

    assert told("81.2.69.142", "masked") == told("81.2.69.0", "masked") == "81.2.69.•"
    assert told("81.2.69.142", "whole") == "81.2.69.142"
    assert told("81.2.69.142", "hashed") == "#" + HASHED("network", "81.2.69.142")
    assert told("81.2.69.0", "hashed") == "81.2.69.0"
    assert told("fd12:3456::1", "whole") == "fd12:3456::1"


def test_what_was_let_through_is_no_refusal_and_an_odd_row_is_no_event() -> None:
    telling = Telling("masked", "masked", HASHED)
    assert refusal({**EVENT, "event_action": "allow"}, telling) is None
    assert refusal({**EVENT, "event_dataset": "pumpguard.outcome"}, telling) is None
    with pytest.raises(KeyError):
        refusal({"event_action": "block"}, telling)
    with pytest.raises(ValueError, match="isoformat"):
        refusal({**EVENT, "@timestamp": "soon"}, telling)
