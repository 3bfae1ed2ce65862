"""A whole store: all kinds, put together by the ten sentences of `pumpguard.store.base`."""

from __future__ import annotations

from typing import Any

from pumpguard.counters import Ban, Counter, Tickets
from pumpguard.counters.plan import Plan
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Subject
from tests.models.base import Facts, Model
from tests.models.kinds import MODELS


class StoreModel:
    """Answers as every store must. Subjects are told by their names alone."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Subject, str], Model[Any]] = {}

    def decide(self, question: Question) -> Answer:
        plan, counters = question.plan, question.plan.counters
        now, members = _ms(question.at), iter(question.members)
        if question.overrides_version:  # there are none
            return Answer(False, {}, now / 1000, outdated=True)
        facts = Facts(now, question.price, "", question.last4, question.matures_after or 0)
        facts.chance, facts.ticket = question.jitter, question.ticket
        facts.proved = plan.proved
        named = dict(zip(plan.groups, question.subjects, strict=True))
        facts.remembered = tuple(named.get(by) for by in plan.remembered)
        models = self._models(plan, question.subjects)
        bans = [i for i, counter in enumerate(counters) if isinstance(counter, Ban)]

        # What stands and binds ends it.
        standing = {i: models[i].look(counters[i], facts) for i in bans if plan.binds[i]}
        standing = {i: r for i, r in standing.items() if r.full and counters[i].refuses_at_once}
        if standing:
            return Answer(False, standing, now / 1000)

        # Everything is read before anything is decided.
        member = {i: next(members) for i, each in enumerate(counters) if each.member is not None}
        readings = {}
        for i in sorted(range(len(counters)), key=lambda i: counters[i].turn):
            facts.member = member.get(i, "")
            readings[i] = models[i].look(counters[i], facts)

        def strike(i: int) -> None:
            models[i].strike(counters[i], facts)
            readings[i] = models[i].look(counters[i], facts)

        for i in bans:
            if counters[i].counts_attempts and not readings[i].full:
                strike(i)
        refusing = [i for i, each in readings.items() if each.full and plan.binds[i]]
        score = question.score
        for weight in plan.weights:
            score *= weight.factor if any(readings[i].full for i in weight.places) else 1
        unknown = question.known_only and not facts.known
        admitted = not (question.refused or refusing or unknown or score >= question.bound)

        # Charged all or nothing, once per sum or log, if any that looks at it has room.
        for model in dict.fromkeys(models):
            mine = [i for i, each in enumerate(models) if each is model]
            facts.member, one = member.get(mine[0], ""), counters[mine[0]]
            room = model.always or not all(readings[i].full for i in mine)
            if one.counts_attempts or model.begins(one, facts) or (admitted and room):
                model.charge(one, facts)
        for i in bans if not admitted else ():
            if not counters[i].counts_attempts and not readings[i].full:
                fed = any(_feeds(counters[j], counters[i]) for j in refusing)
                if fed or counters[i].fed_by_rules & question.refused_by:
                    strike(i)
        if not plan.reports:
            readings = {i: each for i, each in readings.items() if each.full}
        ticket = question.ticket if admitted and plan.writes_tickets else b""
        return Answer(admitted, readings, now / 1000, facts.known, ticket)

    def redeem(self, redemption: Redemption) -> Redeemed:
        now, both = _ms(redemption.at), Plan([redemption.known, redemption.tickets], [False] * 2)
        known, tickets = self._models(both, (redemption.phone,) * len(both.groups))
        waiting = tickets.open(redemption.tickets, now)
        tickets.tickets = []
        counts = known.verified(redemption.known, now, waiting[-1] if waiting else None)
        return Redeemed(counts, now, tuple(reversed(waiting)))

    def settle(self, settlement: Settlement) -> int:
        plan, outcome = settlement.plan, settlement.outcome
        if not plan.counters:
            return int(outcome != "failed")
        facts = Facts(_ms(settlement.at), settlement.price, "", settlement.last4)
        facts.outcome, facts.ticket, facts.sent_at = outcome, settlement.ticket, settlement.sent_at
        facts.age, facts.network = settlement.age // 100, settlement.network
        models = self._models(plan, settlement.subjects)
        first = [each[0] for group in plan.segments for each in group]
        told = [(models[i], plan.counters[i]) for i in first]
        if outcome in ("failed", "unallocated"):
            has_ticket = any(isinstance(counter, Tickets) for _, counter in told)
            if not (has_ticket and all(model.take(counter, facts) for model, counter in told)):
                return 0
        if outcome != "unallocated":
            for model, counter in told:
                model.weigh(counter, facts)
            for model, counter in told:
                model.tell(counter, facts)
        return int(facts.refunded)

    def _models(self, plan: Plan, subjects: tuple[Subject, ...]) -> list[Any]:
        """Of each counter: one for all that are the same by their identity."""
        return [
            self.kept.setdefault((each.by, subjects[g], identity), MODELS[type(each)]())
            for each, g, identity in zip(plan.counters, plan.group_of, plan.identities, strict=True)
        ]


def _feeds(counter: Counter, ban: Any) -> bool:
    """Whether being refused by it is a strike; challenges are for bans about those alone."""
    told = ban.challenges or counter.action > Action.CHALLENGE
    return bool(told and counter.rule in ban.fed_by)


def _ms(at: float | None) -> int:
    return int((at or 0) * 1000)
