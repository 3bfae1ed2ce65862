"""What becomes of messages: told by the app, queued behind the reply, and taught to the store.

Here is what a policy keeps for that beside its rules, and the ticket by which an app names a
message. None of it ever refuses anything. Rules about money and verifications need it, and say so
(``needs_outcomes``, ``earned_by``); a policy without such rules keeps nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pumpguard.attempt import PREFIX, Attempt, Client
from pumpguard.config import check, join
from pumpguard.counters import Counter, Known, Refunds, Tickets, Trust, Unsent, micros
from pumpguard.counters.base import OF_ONE_CLIENT
from pumpguard.decision import Decision
from pumpguard.errors import IntakeError, PolicyError, TicketError
from pumpguard.intake.phone import canonical
from pumpguard.rules.base import Rule, check_dimension
from pumpguard.rules.unsent_limit import UNSENT

HOUR, DAY = 3_600, 86_400
PATH = "outcomes"

FOLLOWS_FROM_THE_NUMBER = frozenset({"phone", "country", "calling_code", "everything"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What is remembered of messages and of who verified; ``[outcomes]`` in a policy file.

    ``seconds`` is how long a message may wait for its outcome, ``known_days`` how long a number
    that has verified stays known, ``remembers`` names dimensions that outcomes are told by beside
    those that the rules need.

    Rules with ``earned`` give room to whoever verifies: each verification earns ``gain`` messages,
    once more than ``share`` of what was sent in about the last eight days has been verified. A
    number counts once a day, and what looks bought counts for less, as it does for the rule
    `pumpguard.rules.Conversion`. ``trusts`` names dimensions that trust is kept by beside those
    that the rules need.

    Raises `PolicyError` for values outside their bounds.

    Sources: at least 60 % of real users enter their codes (IronAuth: 60 to 85 %), and with the
    defaults those need no history; below 35 % Vonage blocks a network, and here nothing is earned.
    """

    seconds: int = DAY
    known_days: int = 90
    remembers: Sequence[str] = ()
    gain: int = 4
    share: float = 0.35
    trusts: Sequence[str] = ()

    def __post_init__(self) -> None:
        check(self, PATH)
        _require(self.seconds > 0, "seconds", "at least 1", self.seconds)
        _require(0 < self.known_days <= 365, "known_days", "1 to 365", self.known_days)
        _require(1 <= self.gain <= 100, "gain", "1 to 100 messages", self.gain)
        _require(0 < self.share < 1, "share", "a share between 0 and 1", self.share)

    def check_dimensions(self, own: Sequence[str]) -> None:
        """Raise `PolicyError` for an unknown dimension; ``own`` are the policy's own."""
        for field in ("remembers", "trusts"):
            for i, by in enumerate(getattr(self, field)):
                for part in by.split("+"):
                    check_dimension(part, f"{PATH}.{field}.{i}", own)


@dataclass(frozen=True, slots=True)
class OutcomeCounters:
    """The counters themselves. The rule names in them are part of what is stored. ``verified`` says
    whether the guard hears of verifications."""

    known: Known
    tickets: Tickets
    trusts: tuple[Trust, ...]
    refunds: Refunds
    unsent: tuple[Unsent, Unsent]
    """How much is given back where no rule of the chain limits that: per network, or per number
    where the network is unknown."""
    verified: bool

    @property
    def asked(self) -> tuple[Counter, ...]:
        """Those that every question holds."""
        return (*((self.known,) if self.verified else ()), self.tickets, *self.trusts)

    @classmethod
    def needed(
        cls,
        rules: Sequence[Rule],
        settings: Outcomes,
        *,
        verified: bool,
        refunds: float,
        use: str = "",
    ) -> OutcomeCounters | None:
        """What these rules need, or ``None`` if they need nothing. ``refunds`` is how many USD the
        failed messages of an hour may give back. Each ``use`` has its own messages."""
        if not any(rule.needs_outcomes or rule.earned_by for rule in rules):
            return None
        earned = [by for rule in rules for by in rule.earned_by]
        trusts = tuple(dict.fromkeys([*settings.trusts, *earned])) if earned else ()
        needed = [by for rule in rules for by in rule.outcome_dimensions] + list(trusts)
        named = [*settings.remembers, *(by for by in needed if not _follows_from_number(by))]
        remembers = sorted(dict.fromkeys(named), key=lambda by: by not in OF_ONE_CLIENT)
        clients = sum(by in OF_ONE_CLIENT for by in remembers)
        own = f"{use}.settling" if use else "settling"
        trust = f"{use}.earned_trust" if use else "earned_trust"
        return cls(
            Known("settling", settings.known_days * DAY, clients),
            Tickets(own, settings.seconds, remembers=tuple(remembers)),
            tuple(Trust(trust, by, settings.gain, settings.share) for by in trusts),
            Refunds(own, micros(refunds), HOUR),
            (Unsent(own, "network", UNSENT), Unsent(own, "phone", UNSENT)),
            verified,
        )


USUAL: Sequence[object] = (None, {}, (), "unknown")
"""The last facts of most tickets, which are left out of their text."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A message that was let through: its reservation, and whom it was counted for. An app hands it
    back to say what became of the message. ``full`` names the rules whose counters were full and
    did not refuse it: they did not count it, and have nothing to give back.

    As text it may travel through a job queue to another process. It holds the telephone number and
    the client's network: handle it as the personal data that it is, and show it to nobody.
    """

    reservation: bytes
    attempt: Attempt
    full: tuple[str, ...] = ()

    @classmethod
    def of(cls, decision: Decision) -> Ticket:
        """That of a message which was let through."""
        full = tuple(f.rule for f in decision.findings if f.action) if decision.findings else ()
        return cls(decision.reservation, decision.attempt, full)

    def __str__(self) -> str:
        attempt, client = self.attempt, self.attempt.client
        facts: list[object] = [
            self.reservation.hex(), attempt.phone.e164, client.network, client.site,
            client.country, attempt.session, attempt.account, attempt.device,
        ]  # fmt: skip
        more = [client.asn, dict(attempt.extra), self.full, client.kind]
        while more and more[-1] == USUAL[len(more) - 1]:
            more.pop()
        facts += more
        return base64.urlsafe_b64encode(json.dumps(facts).encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Read a ticket's text. Raises `TicketError`."""
        try:
            facts = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
            reservation, phone, network, site, country, *keys = facts if type(facts) is list else []
            keys += USUAL[len(keys) - 3 :]
            session, account, device, asn, extra, full, kind = keys
            _check_texts(network, site, country, session, account, device, asn, kind)
            _check_texts(*full, *extra, *extra.values())
            client = Client(network=network, site=site, country=country, kind=kind, asn=asn)
            attempt = Attempt(
                canonical(phone), client, session=session, account=account, device=device,
                extra=dict(extra),
            )  # fmt: skip
            return cls(bytes.fromhex(reservation), attempt, tuple(full))
        except (ValueError, TypeError, AttributeError, RecursionError, IntakeError):
            raise TicketError("this is no ticket of a decision") from None


def _check_texts(*values: object) -> None:
    if not all(value is None or isinstance(value, str) for value in values):
        raise TypeError("a ticket holds texts")


def _follows_from_number(by: str) -> bool:
    """Whether a subject is known from the phone alone."""
    return all(part in FOLLOWS_FROM_THE_NUMBER or part.startswith(PREFIX) for part in by.split("+"))


def _require(condition: bool, field: str, expected: str, got: object) -> None:
    if not condition:
        raise PolicyError(join(PATH, field), expected, got)
