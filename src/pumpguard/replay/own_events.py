"""Our own events (docs/events.md) as entries: what a decision was made by, and what it was."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pumpguard.attempt import Attempt, Client, NetworkKind, Phone
from pumpguard.decision import Decision
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.phone import canonical
from pumpguard.replay.columns import OWN_COLUMNS
from pumpguard.replay.entry import EARLIEST, LATEST, Entry, Outcome
from pumpguard.replay.read import Row

ABOUT = "pumpguard_attempt_"
KEYS = ("session", "account", "device", "solution")
OUTCOMES = ("failed", "unallocated")
EXAMPLES = 10


def own_entries(row: Row, file: str) -> Iterator[Entry]:
    """That of an event, if it is a decision or an outcome. Raises `PolicyError` where numbers or
    networks are hidden, and `ValueError` for what no event of ours has."""
    dataset, action = row.get("event_dataset"), row.get("event_action", "")
    if dataset not in ("pumpguard.decision", "pumpguard.outcome"):
        return
    number, network = row.get(OWN_COLUMNS["phone"]), row.get(f"{ABOUT}network")
    if number is None or not (network is None or "." in network or ":" in network):
        what = "numbers" if number is None else "addresses"
        raise PolicyError(
            file,
            "numbers and addresses as they were: they are written with "
            'Events(guard, File(…), addresses="whole", numbers="clear")',
            f"hidden {what}",
        )
    try:
        canonical(number)
    except IntakeError:
        raise ValueError("no telephone number") from None
    if dataset == "pumpguard.outcome":
        at = _float(row.get("pumpguard_at"), "time", EARLIEST, LATEST)
        outcome = cast(Outcome, action) if action in OUTCOMES else None
        yield Entry(at, number, is_verification=action == "verified", event="", outcome=outcome)
        return
    at = _float(row.get(OWN_COLUMNS["time"]), "time", EARLIEST, LATEST)
    price, because = row.get(OWN_COLUMNS["price"]), row.get("rule_name", "")
    reason = " ".join(filter(None, (row.get("event_reference"), because, row.get("event_reason"))))
    facts: dict[str, Any] = {
        name.removeprefix(ABOUT): value for name, value in row.items() if name.startswith(ABOUT)
    }
    facts["country"] = row.get("source_geo_country_iso_code")
    facts["why"] = f"{action}: {reason}" if reason else action
    facts["told"] = [action, because, row.get("event_reason", "")]
    yield Entry(
        at, number, row.get(OWN_COLUMNS["address"]), row.get(OWN_COLUMNS["session"]),
        None if price is None else _float(price, "price", 0, 1e9), event=json.dumps(facts),
    )  # fmt: skip


def own_attempt(
    facts: dict[str, Any], at: float, phone: Phone, address: str | None, price: float | None
) -> Attempt:
    """The attempt as it was. Hashes of subjects stand for them: the same for the same one."""
    kind = cast(NetworkKind, facts.get("kind", "unknown"))
    country, asn = facts["country"], facts.get("asn")
    client = Client(address, facts.get("network"), facts.get("site"), country, kind, asn)
    keys = {name: facts.get(name) for name in KEYS}
    extra = {
        name.removeprefix("extra_"): value
        for name, value in facts.items()
        if name.startswith("extra_")
    }
    # One whose solution was used before is told as not proved; that is the rule's finding.
    proved = facts.get("proved") == "true" or keys["solution"] is not None
    return Attempt(phone, client, at, price, proved=proved, extra=extra, **keys)


def _float(text: str | None, what: str, least: float, most: float) -> float:
    """As it stands there, to the last bit; raises `ValueError`."""
    try:
        value = float(text or "")
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise ValueError(f"an event without its {what}")
    return value


@dataclass
class Again:
    """How many decisions of a log of our own came out the same (action, rule and reason), and the
    first that did not: when, what the event says, and how it was explained now."""

    decided: int = 0
    same: int = 0
    examples: list[tuple[float, str, str]] = field(default_factory=list)

    def add(self, facts: dict[str, Any], at: float, decision: Decision) -> None:
        found = decision.finding
        rule, reason = (found.rule, found.code) if found else ("", decision.allowed_because or "")
        self.decided += 1
        if facts["told"] == [str(decision.action), rule, reason]:
            self.same += 1
        elif len(self.examples) < EXAMPLES:
            self.examples.append((at, facts["why"], replace(decision, reference="").explain()))


def other_policy(versions: Collection[str], version: str) -> str | None:
    """A sentence, if the events were decided by another policy than the one of this version."""
    others = sorted(set(versions) - {version})
    if not others:
        return None
    return (
        f"The events were decided by policies of the versions {', '.join(others)}, not {version}."
    )
