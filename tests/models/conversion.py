"""Conversion: sends by slice, and the latest verifications."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from pumpguard.counters import Conversion, Reading
from tests.models.base import DAY, Facts, Model, reading

RING, CROWD = 8, 3


@dataclass
class Slice:
    """Sends of a twelfth of ``seconds``: unverified, verified, and what the latter take."""

    open: int = 0
    done: int = 0
    takes: int = 0


class ConversionModel(Model[Conversion]):
    """A CUSUM over matured sends. The promise is the sum of what matured, slice by slice.

    With probes, ``alarms`` is how many there were in a row, and ``opens`` when proof is good again.
    """

    def __init__(self) -> None:
        self.sum, self.matured, self.verified = 0, 0, 0
        self.ends, self.latest = 0, 0
        self.alarms, self.opens = 0, 0
        self.slices: dict[int, Slice] = {}
        self.ring: list[tuple[int, str | bytes | None, int]] = []

    def at(self, counter: Conversion, facts: Facts) -> ConversionModel:
        """What it has become by now."""
        width, then = counter.span // 12, deepcopy(self)
        now = max(facts.now, then.latest * width)
        if facts.now - then.latest * width > 2 * DAY and facts.now >= then.ends:
            then = ConversionModel()
        age = min(facts.matures_after or counter.span, counter.span)
        for index, each in sorted(then.slices.items()):
            if (index + 1) * width + age > now:
                break
            del then.slices[index]
            if not facts.no_verifications:
                then.sum = max(0, then.sum + each.open * counter.steps[0] - each.takes)
                then.matured += each.open + each.done
                then.verified += each.done
        while then.matured > 10_000:
            then.matured, then.verified = then.matured // 2, then.verified // 2
        if then.ends and (now >= then.ends or (then.alarms and not then.sum)):
            then.sum, then.ends, then.alarms, then.opens = 0, 0, 0, 0
        then.latest = now // width
        enough = then.sum >= counter.steps[2] and then.matured >= counter.minimum
        if enough and not facts.no_verifications:
            if counter.probes and now >= then.opens:
                then.alarm_by_degrees(counter, now)
            elif not counter.probes and not then.ends:
                then.ends = now + 1000 * counter.refuse_for
        return then

    def alarm_by_degrees(self, counter: Conversion, now: int) -> None:
        """One more in a row: what is on its way is forgotten, and the next one is near."""
        refused = 0
        if self.alarms:
            refused = min(counter.longest, counter.refuse_for * 2 ** (self.alarms - 1))
        self.alarms = min(15, self.alarms + 1)
        self.opens = now + 1000 * refused
        self.ends = self.opens + 1000 * counter.longest
        self.slices = {}
        self.sum = counter.steps[2] - counter.probes * counter.steps[0]

    def look(self, counter: Conversion, facts: Facts) -> Reading:
        then, now = self.at(counter, facts), max(facts.now, self.latest * (counter.span // 12))
        wait = 0 if facts.halves == 2 else max(0, then.ends - now)
        if counter.probes:
            wait = then.waits_by_degrees(counter, facts, now)
        return reading(then.sum, 0 if facts.no_verifications else wait, then.matured, then.verified)

    def waits_by_degrees(self, counter: Conversion, facts: Facts, now: int) -> int:
        """How long this request has to wait after an alarm."""
        if not self.alarms or facts.known or facts.trusted:
            return 0
        if not counter.proved:
            return self.ends - now
        if now < self.opens:
            return self.opens - now
        waiting = [index for index, each in self.slices.items() if each.open]
        open_sends = sum(each.open for each in self.slices.values())
        if self.sum + open_sends * counter.steps[0] < counter.steps[2]:
            return 0
        age = min(facts.matures_after or counter.span, counter.span)
        matures = (min(waiting) + 1) * (counter.span // 12) + age if waiting else 0
        return max(1, matures - now)

    def begins(self, counter: Conversion, facts: Facts) -> bool:
        return self.at(counter, facts).ends not in (0, self.ends)

    def charge(self, counter: Conversion, facts: Facts) -> None:
        full, begins = self.look(counter, facts).full, self.begins(counter, facts)
        self.__dict__ = self.at(counter, facts).__dict__
        if not (full or begins):
            self.slices.setdefault(self.latest, Slice()).open += 1

    def weigh(self, counter: Conversion, facts: Facts) -> None:
        then = self.at(counter, facts)
        if facts.outcome == "verified":
            fail, ok, _ = counter.steps
            worth = then.worth(counter, facts)
            then.settled(counter, facts, (worth * ok - (1000 - worth) * fail) // 1000)
            then.ring = [(facts.age, facts.network, facts.last4), *then.ring][:RING]
            facts.worth = min(facts.worth, worth)
            if not counter.tells_networks_apart:
                facts.worth_of_clients = min(facts.worth_of_clients, worth)
        elif then.slices or then.matured:
            then.settled(counter, facts, None)
        else:
            return
        self.__dict__ = then.__dict__

    def worth(self, counter: Conversion, facts: Facts) -> int:
        """What a verification proves, in thousandths (see `pumpguard.counters.conversion`)."""
        worth, ages = 1000, [age for age, _, _ in self.ring]
        if facts.age < 30:  # 3 s
            worth //= 5
        if len(ages) >= 6:
            mean = sum(ages) / len(ages)
            if sum(abs(age - mean) for age in ages) / len(ages) < mean / 10:
                worth //= 5
        if counter.tells_networks_apart:
            same = sum(facts.network == network is not None for _, network, _ in self.ring)
            worth //= 1 + min(CROWD, same)
        near = any(abs(last4 - facts.last4) < counter.near for _, _, last4 in self.ring)
        return worth // 4 if near else worth

    def settled(self, counter: Conversion, facts: Facts, takes: int | None) -> None:
        """A send is verified, or (with ``None``) as if it had never been."""
        sent = self.slices.get(min(self.latest, facts.sent_at // (counter.span // 12)), Slice())
        if sent.open:
            sent.open -= 1
            if takes is not None:
                sent.done, sent.takes = sent.done + 1, sent.takes + takes
        elif not facts.no_verifications:  # it has matured: its failure is undone
            self.sum = max(0, self.sum - counter.steps[0] - (takes or 0))
            if takes is None:
                self.matured = max(self.verified, self.matured - 1)
            else:
                self.verified = min(self.matured, self.verified + 1)
