"""Bans that stand: a process puts down those that it meets, and people find and lift them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.decision import Decision, Finding
from pumpguard.errors import OverrideError
from pumpguard.masking import masked_network
from pumpguard.rules import Rule, SlidingBan
from pumpguard.store.fleet import StandingBan
from pumpguard.store.inspected import InspectedStore

MOST_TOLD = 100
"""Bans that a process tells at once; more of them are found by a number or an address only."""

MOST_KNOWN = 10_000
"""Bans that a process remembers having told."""

PLAIN = ("country", "calling_code", "client_country", "asn", "everything")
"""Dimensions whose values are nobody's personal data."""

LATER = 1.0
"""Seconds by which a ban has to end later to be another one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A ban for people. ``subject`` is masked; ``id`` lifts it."""

    id: str
    rule: str
    by: str
    subject: str
    country: str
    action: str
    level: int
    since: float
    until: float

    def matches(self, search: str) -> bool:
        """Whether all words of a search are in it."""
        text = f"{self.rule} {self.by} {self.subject} {self.country} {self.action} {self.id}"
        return all(word in text.lower() for word in search.lower().split())


class BansMet:
    """Notes the bans that decisions of this process speak of, each once."""

    def __init__(self, chain: Sequence[Rule], store: InspectedStore | None) -> None:
        self._rules = {rule.name: rule for rule in chain if isinstance(rule, SlidingBan)}
        self._store = store
        self._told: dict[tuple[str, str, int], float] = {}
        self.waiting: list[StandingBan] = []

    def note(self, decision: Decision, at: float) -> None:
        for finding in decision.findings:
            if finding.rule in self._rules and finding.subject and finding.mode == "enforce":
                self._note(decision.attempt, finding, at)

    def take(self) -> Sequence[StandingBan]:
        """Those that nobody has been told of."""
        taken, self.waiting = self.waiting, []
        return taken

    def _note(self, attempt: Attempt, finding: Finding, at: float) -> None:
        until = at + (finding.retry_after or 0.0)
        assert finding.subject is not None  # noqa: S101 - the caller has looked
        known = finding.rule, finding.subject, attempt.phone.calling_code
        if until < self._told.get(known, 0.0) + LATER or len(self.waiting) >= MOST_TOLD:
            return
        if len(self._told) >= MOST_KNOWN:
            self._told.clear()
        self._told[known] = until
        found = standing(self._store, self._rules[finding.rule], attempt, finding, at)
        if found is not None:
            self.waiting.append(found)


def standing(
    store: InspectedStore | None, rule: SlidingBan, attempt: Attempt, finding: Finding, at: float
) -> StandingBan | None:
    """A ban that an attempt has met, as it is put down."""
    if store is None or not finding.subject:
        return None
    by = rule.ban.by
    shard, place = store.place(by, finding.subject, str(attempt.phone.calling_code))
    words = {
        "rule": rule.name,
        "by": by,
        "subject": masked_subject(by, attempt),
        "country": attempt.phone.country if "prefix" in by else attempt.client.country or "?",
        "action": str(finding.action),
        "level": finding.evidence.get("level", 0),
        "since": round(at),
    }
    until = at + (finding.retry_after or 0.0)
    id_ = f"{shard}-{place}-{rule.name}"
    return StandingBan(id_, until, json.dumps(words, separators=(",", ":"), ensure_ascii=False))


def masked_subject(by: str, attempt: Attempt) -> str:
    """A ban's subject for people: blocks of 100 numbers or more in digits."""
    parts = []
    for part in by.split("+"):
        value = attempt.subject(part) or ""
        if part in PLAIN or (part.startswith(PREFIX) and int(part.removeprefix(PREFIX)) >= 2):
            parts.append(value)
        elif part in ("network", "site"):
            parts.append(masked_network(value))
        elif part == "phone":
            parts.append(attempt.phone.masked)
        else:
            parts.append(f"{value[:2]}•••" if len(value) > 4 else "•••")
    return " → ".join(parts)


def shown(ban: StandingBan) -> Shown | None:
    """A ban as people see it; ``None`` for what another release has put down."""
    try:
        return Shown(id=ban.id, until=ban.until, **json.loads(ban.words))
    except (ValueError, TypeError):
        return None


async def all_bans(store: InspectedStore) -> list[Shown]:
    """All that stand, as far as they were told. Raises `StoreError`."""
    return [each for each in map(shown, await store.fleet.bans()) if each is not None]


async def lift(
    store: InspectedStore, chain: Sequence[Rule], id_: str, at: float | None = None
) -> Shown | None:
    """Take a ban off its subject, with its strikes, in every process (within five seconds where
    one remembers it); what it was, if it was on the list. Raises `OverrideError` for an id that
    makes no sense, and `StoreError`."""
    shard, _, rest = id_.partition("-")
    place, _, name = rest.partition("-")
    rules = {rule.name: rule for rule in chain}
    rule = rules.get(name)
    if not isinstance(rule, SlidingBan) or not shard.isdecimal() or len(place) != 20:
        raise OverrideError("ban", "the id of a ban that stands", id_)
    found = next((each for each in await all_bans(store) if each.id == id_), None)
    await store.lift(int(shard), place, [rule.ban.identity()], at)
    await store.fleet.forget(id_)
    return found
