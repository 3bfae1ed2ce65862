"""Plays a journal through a policy: on the clock of its times, over memory, one entry at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pumpguard.attempt import Attempt, Phone
from pumpguard.decision import Action, Decision
from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.outcomes.delays import Delays
from pumpguard.outcomes.telling import Verified
from pumpguard.policy import Policy
from pumpguard.replay.journal import Journal, Played
from pumpguard.replay.last_sent import LastSent
from pumpguard.replay.own_events import Again, own_attempt
from pumpguard.replay.play_store import PlayStore
from pumpguard.replay.tally import Tally
from pumpguard.rules import Number
from pumpguard.rules.hold_out import HELD_OUT
from pumpguard.testing import SimulatedHuman

ROOM = 50_000, 300_000
"""Messages that the store has room for: at least, and at most (370 MB)."""

NOBODY = Phone("+9990000000", None, 999, valid=False)
"""Stands for the number that a request of an access log was for. No rule looks at it."""


class Run:
    """A policy's way through a journal, which may be stopped between two entries: all that it has
    come to after so many ``done`` of them. ``challenge``: the app can ask for proof."""

    def __init__(self, journal: Journal, policy: Policy, *, challenge: bool = False) -> None:
        self.journal = journal
        # Rules that remember something themselves begin anew.
        self.policy = replace(policy)
        self.challenge = challenge or journal.asks
        self.done = 0
        self.now = journal.first
        self.store = self._new_store()
        self.tally, self.sent, self.delays = Tally(self.policy), LastSent(), Delays()

    def _new_store(self) -> PlayStore:
        return PlayStore(min(max(self.journal.messages, ROOM[0]), ROOM[1]), lambda: self.now)

    def forget_counters(self) -> None:
        """Give their memory back: nothing is left to be decided."""
        self.store = self._new_store()

    async def go_on(
        self,
        *,
        watch: Callable[[int], None] = lambda number: None,
        explain: Iterable[int] = (),
        stopped: Callable[[], bool] = lambda: False,
    ) -> dict[int, str]:
        """Decide about every message that is left, in order, until ``stopped``; the explanations
        of the entries ``explain``."""
        human = SimulatedHuman() if self.challenge else None
        guard = Guard(self.policy, self.store, clock=lambda: self.now, challenge=human)
        if guard.reports.queue is not None:
            guard.reports.queue.delays.go_on_from(self.delays)
            self.delays = guard.reports.queue.delays
        explained, wanted = dict[int, str](), frozenset(explain)
        before, self.done = self.done, 0
        try:
            for entry in self.journal.whole():
                self.now = max(self.now, entry.at)
                if self.done < before:
                    _reminded(guard, entry)
                else:
                    if stopped():
                        break
                    decision = await self._next(guard, entry)
                    if decision is not None and entry.number in wanted:
                        explained[entry.number] = replace(decision, reference="").explain()
                self.done += 1
                if entry.number % 100 == 0:
                    watch(entry.number)
        finally:
            await guard.aclose()
        return explained

    async def _next(self, guard: Guard, entry: Played) -> Decision | None:
        """What follows from an entry; the decision, if it is one to be made."""
        if entry.outcome is not None:
            if (failed := self.sent.pop(entry.phone)) is not None:
                guard.settle(failed, entry.outcome)
                await guard.reports.told()
            return None
        if entry.is_verification:
            await self._verified(guard, entry)
            self.tally.entered(entry)
            return None
        decision, asked = await _decided(guard, entry, self.tally.again)
        if entry.event and decision.allowed:
            self.sent.add(decision)
        self.tally.faults["decided without the store"] += decision.degraded
        self.tally.add(entry, decision, asked)
        if decision.allowed and not entry.sent:
            guard.reports.not_sent(decision)
            await guard.reports.told()
        return decision

    async def _verified(self, guard: Guard, entry: Played) -> None:
        """Tell the store at once: through the queue of a running app it would take a task and turns
        of the event loop."""
        queue = guard.reports.queue
        if queue is None:
            return
        try:
            settlements = await queue.teller.settlements(Verified((entry.whose,), self.now))
            await self.store.settle(settlements)
        except StoreError:
            self.tally.faults["verified without the store"] += 1


async def play(
    journal: Journal, policy: Policy, *, challenge: bool = False, explain: Iterable[int] = ()
) -> tuple[Tally, dict[int, str]]:
    """Decide about every message, in order; also the explanations of the entries ``explain``.

    With ``challenge`` the app can ask for proof: whoever entered a code gives it, nobody else does.
    Events of our own say who gave it, and each decision is compared with theirs.
    Nobody comes again after a refusal but as the log says.
    """
    run = Run(journal, policy, challenge=challenge)
    explained = await run.go_on(explain=explain)
    return run.tally, explained


async def _decided(guard: Guard, entry: Played, again: Again) -> tuple[Decision, bool]:
    """The decision, and whether proof was asked for first. One of our own events is compared with
    theirs; whoever was asked then has come again by himself."""
    facts: dict[str, Any] | None = json.loads(entry.event) if entry.event else None
    if facts is not None and guard.held_out is not None:
        was_drawn = facts["told"][2] == HELD_OUT  # the draw itself is nobody's to know
        guard.held_out.drawn = lambda attempt: was_drawn
    attempt = _attempt(guard, entry, facts)
    decision = await guard.decide(attempt)
    if facts is not None:
        again.add(facts, entry.at, decision)
    asked = decision.action is Action.CHALLENGE
    comes_again = facts is None or facts["told"][0] != "challenge"
    if asked and comes_again and entry.verified and guard.challenge is not None:
        solved = f"replayed {entry.number}"
        decision = await guard.decide(replace(attempt, proved=True, solution=solved))
    return decision, asked


def _attempt(guard: Guard, entry: Played, facts: dict[str, Any] | None) -> Attempt:
    if facts is not None:
        return own_attempt(facts, entry.at, entry.whose, entry.address, entry.price)
    phone = entry.whose if entry.phone else NOBODY
    attempt = guard.reader.attempt(phone, entry.address, session=entry.session)
    if entry.price is not None or phone is NOBODY:
        attempt = replace(attempt, price=entry.price or 0.0)
    return attempt


def _reminded(guard: Guard, entry: Played) -> None:
    """What the rule `Number` remembers by itself, it learns again: whose numbers it has seen, in a
    form that means nothing to another process. It is the only rule that does."""
    if entry.is_verification or entry.outcome is not None or guard.challenge is None:
        return
    facts = json.loads(entry.event) if entry.event else None
    for rule in guard.rules:
        if isinstance(rule, Number):
            rule.judge(_attempt(guard, entry, facts), ())
