"""Lines of credit: what is owed, and what was verified on which day."""

from __future__ import annotations

from pumpguard.counters import Credit, Reading
from tests.models.base import DAY, Facts, Model, reading

DAYS, STEPS, AGAIN = 15, 1000, 2
FORGOTTEN = 4 * STEPS
USUALLY, LATEST = 150_000, 4


class CreditModel(Model[Credit]):
    """A debt that is forgiven in a thousand steps per ``seconds``, at the same instants for all."""

    def __init__(self) -> None:
        self.debt, self.step, self.day, self.best = 0, 0, 0, 0
        self.verified: dict[int, int] = {}

    def steps(self, counter: Credit, now: int) -> int:
        """The step it is in; time does not run backwards."""
        return max(self.step, now * STEPS // counter.span)

    def line(self, counter: Credit, best: int) -> int:
        """The line that so much makes."""
        return max(counter.limit, best // 1000 * round(1000 * counter.ratio))

    def most(self, today: int) -> int:
        """What was verified on the best of 15 days."""
        return max([0, *(n for day, n in self.verified.items() if day > today - DAYS)])

    def owed(self, counter: Credit, now: int) -> tuple[int, int]:
        """What is left of the debt, and of the best of 15 days: what is forgiven both lose."""
        best, today = self.best, max(self.day, now // DAY)
        if today > self.day:
            best = min(best, self.most(today))
        passed = self.steps(counter, now) - self.step
        forgiven = passed * max(1, self.line(counter, best) // STEPS)
        lost = min(self.debt, forgiven) if passed <= FORGOTTEN else self.debt
        return self.debt - lost, max(0, best - lost)

    def look(self, counter: Credit, facts: Facts) -> Reading:
        (debt, best), step = self.owed(counter, facts.now), self.steps(counter, facts.now)
        line = self.line(counter, best)
        forgiven = max(1, line // STEPS)
        least = facts.price if counter.limit else 0
        fits = max(line, least) + min(max(facts.owed, facts.mistyped), AGAIN * facts.price)
        if facts.halves == 2:
            fits = max(line, least) + AGAIN * facts.price
        if counter.yields:
            late = counter.except_trusted and facts.matures_after > USUALLY
            again = facts.owed and facts.halves < 2 and not late
            fits = min(line, line // 2 + facts.price) if again else line
            if late:
                fits = int(fits * min(LATEST, facts.matures_after / USUALLY))
        if not counter.yields or facts.halves == 2:
            fits += facts.open_of(line // 1000 * round(1000 * counter.reserved))
        fits = max(fits, least)
        wait, now = 0, max(facts.now, self.step * counter.span // STEPS)
        excepted = counter.except_trusted and (facts.trusted or facts.unheard)
        if debt + facts.price > fits and not excepted:
            more = -(-(debt + facts.price - fits) // forgiven)
            more = STEPS if facts.price > fits else more  # in vain
            wait = -(-(step + more) * counter.span // STEPS) - now
        return reading(debt, wait, line, best)

    def charge(self, counter: Credit, facts: Facts) -> None:
        if not (counter.except_trusted and facts.unheard):
            debt, best = self.owed(counter, facts.now)
            self._keep(counter, facts, debt + facts.price, best)

    def tell(self, counter: Credit, facts: Facts) -> None:
        debt, best = self.owed(counter, facts.now)
        earned = facts.price * facts.worth // 1000 if facts.outcome == "verified" else 0
        too_soon = max(0, facts.price - debt)
        if facts.outcome == "verified":
            too_soon = too_soon * facts.worth // 1000
        if earned or debt or self.most(max(self.day, facts.now // DAY)):
            paid = facts.price + earned * round(1000 * counter.vouches) // 1000
            self._keep(counter, facts, max(0, debt - paid), best)
        if earned:
            self.verified[self.day] = self.verified.get(self.day, 0) + earned
            self.best = max(self.best, self.verified[self.day])
        self.best = max(self.best, min(self.best + too_soon, self.most(self.day)))

    def _keep(self, counter: Credit, facts: Facts, debt: int, best: int) -> None:
        self.debt, self.step, self.best = debt, self.steps(counter, facts.now), best
        self.day = max(self.day, facts.now // DAY)
