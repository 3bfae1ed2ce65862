"""What a guard does, counted: the part that Prometheus and OpenTelemetry have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import Context
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from pumpguard.alerts import ALERTING, Alert
from pumpguard.background import BackgroundTasks, Later
from pumpguard.counters import Reading, Spend
from pumpguard.decision import Action, Decision
from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.listeners import Became, Listener, Recorded
from pumpguard.notices import INTERVAL, MAX_REMEMBERED
from pumpguard.ops import series
from pumpguard.ops.fleet.desk import desk_of
from pumpguard.ops.fleet.period import MILLION
from pumpguard.ops.fleet.tally import country_of
from pumpguard.ops.series import Series
from pumpguard.overrides.posture import EVERYWHERE, Posture
from pumpguard.store.base import Store
from pumpguard.store.breaker import Breaker
from pumpguard.store.in_front import behind
from pumpguard.store.redis import RedisStore

if TYPE_CHECKING:
    from pumpguard.receipts.base import Reported

Labels: TypeAlias = tuple[str, ...]
Write: TypeAlias = Callable[[float], object]
"""Adds to a counter, observes for a histogram, or sets a gauge."""

TICK = 1.0
"""Seconds for which decisions wait to be counted together."""

WAITING = 1_000
"""Decisions that wait at most; then they are counted at once."""

PAUSE = 10.0
"""Seconds between two looks at what no decision tells, such as the posture."""

RULES = 200
"""Names of rules; what an app's own score calls itself beyond them is counted as ``other``."""

WORDS = [str(action) for action in Action]

BREAKER = {"closed": 0, "half-open": 1, "open": 2}


class Meter(Listener):
    """Counts what a guard does; a subclass says by `instrument` where to.

    Of each series and its labels, what writes to it is looked up once. Decisions are counted once a
    second: those that are alike, as under attack nearly all are, together. Gauges are set by
    `poll`, which asks nobody, and by `look`, which asks the store: after a decision, at most every
    ten seconds, and whenever the subclass is asked for its values.
    """

    name = "metrics"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._writers: dict[tuple[Series, Labels], Write] = {}
        self._decided: deque[Decision] = deque()
        self._rules: set[str] = set()
        self._told: Counter[tuple[Series, Labels]] = Counter()
        self._tasks, self._lock = BackgroundTasks(), Lock()
        self._later = Later(TICK, self._tick)
        self._looked_at = 0.0
        self._posture = {EVERYWHERE: Posture.NORMAL}
        latency = self._write(series.LATENCY)
        self._breakers, self._desk = breakers(guard.store), desk_of(guard)
        for breaker in self._breakers:
            breaker.watchers.append(partial(self._called, latency))
        for result in ("posed", "met"):
            self._write(series.CHALLENGES, result)(0)
        for code in ALERTING:  # what begins at 1 has never risen
            self._write(series.ALERTS, code)(0)
        for each in (series.DEGRADED, series.LOST):
            self._write(each)(0)
        for reason in ("refused", "no_answer"):
            self._write(series.FAULTS, reason)(0)
        guard.listen(self)

    @abstractmethod
    def instrument(self, series: Series, labels: Labels) -> Write:
        """What writes to one series with these labels."""

    def decided(self, recorded: Recorded) -> None:
        self._decided.append(recorded.decision)
        if not self._later.soon() or len(self._decided) >= WAITING:
            self.count()
        if abs(recorded.at - self._looked_at) >= PAUSE:
            self._looked_at = recorded.at
            self.poll()
            Context().run(self._tasks.start, self.look())

    def outcome(self, became: Became) -> None:
        country = country_of(became.phone)
        if became.messages:
            self._write(series.OUTCOMES, became.outcome, country)(became.messages)
        if became.outcome == "verified":
            self._write(series.VERIFICATIONS, country)(1)
            self._write(series.VERIFIED, country)(became.usd)

    def reported(self, reported: Reported) -> None:
        where = country_of(reported.phone), reported.carrier
        self._write(series.REPORTED, reported.word, *where)(1)
        if reported.seconds is not None:
            self._write(series.DELIVERY, *where)(reported.seconds)

    def alerted(self, alert: Alert) -> None:
        self._write(series.ALERTS, alert.code)(1)

    async def aclose(self) -> None:
        await self._later.done()
        await self._tasks.done()
        self.poll()

    def poll(self) -> None:
        """Take up what this process knows beside its decisions. Any thread may call it."""
        self.count()
        with self._lock:
            for what, total in self._totals():
                since = total - self._told[what]
                if since > 0 or what not in self._writers:
                    self._told[what] = total
                    self._write(what[0], *what[1])(since)
            for shard, breaker in enumerate(self._breakers):
                self._write(series.BREAKER, str(shard))(BREAKER[breaker.state])
            queue = self._guard.reports.queue
            self._write(series.WAITING)(0 if queue is None else len(queue))
            latest = self._guard.notices.latest(MAX_REMEMBERED)
            said = {notice.code for age, notice in latest if age < INTERVAL}
            for code in said | {labels[0] for of, labels in self._writers if of is series.NOTICED}:
                self._write(series.NOTICED, code)(code in said)

    def count(self) -> None:
        """Count the decisions that wait, those that are alike together. Any thread may call it."""
        with self._lock:
            kinds: dict[object, list[Decision]] = {}
            while self._decided:
                decision = self._decided.popleft()
                kinds.setdefault(_kind(decision), []).append(decision)
            for alike in kinds.values():
                self._add(alike[0], len(alike))

    async def look(self) -> None:
        """Take up what the store knows of the whole fleet; while it is away, all stays as it
        was."""
        overrides = self._guard.overrides
        try:
            document, budgets = await overrides.show(), await self._budgets()
        except StoreError:
            return
        now = overrides.now()
        found = {country: document.posture(country, now) for country in document.postures}
        found[EVERYWHERE] = document.fleet(now)
        for country in self._posture.keys() | found:
            self._write(series.POSTURE, country)(found.get(country, Posture.NORMAL))
        self._posture = found
        for spend, reading in budgets:
            labels = spend.rule, str(spend.seconds)
            self._write(series.LIMIT, *labels)(spend.limit / MILLION)
            self._write(series.LEFT, *labels)(max(0, spend.limit - reading.used) / MILLION)

    async def _budgets(self) -> Iterable[tuple[Spend, Reading]]:
        """Those for everything, with what is spent of them; each shard has its own."""
        if self._desk is None or self._guard.policy.shards > 1:
            return ()
        return [each for each in await self._desk.spends() if each[0].by == "everything"]

    def _totals(self) -> Iterator[tuple[tuple[Series, Labels], int]]:
        """What others count, so far."""
        for what, total in dict(self._guard.observations.counts).items():
            yield (series.OBSERVED, (what,)), total
        for listener in self._guard.listeners:
            if listener is not self:
                yield (series.DROPPED, (listener.name,)), listener.dropped
        queue = self._guard.reports.queue
        yield (series.LOST, ()), 0 if queue is None else queue.lost

    async def _tick(self) -> None:
        self.count()

    def _add(self, decision: Decision, n: int) -> None:
        """Count so many decisions like this one."""
        attempt = decision.attempt
        if decision.degraded:
            self._write(series.DEGRADED)(n)
        if attempt.proved:
            self._write(series.CHALLENGES, "met")(n)
        if decision.action is Action.CHALLENGE:
            self._write(series.CHALLENGES, "posed")(n)
        for each in decision.findings:
            if each.action:
                rule = self._rule(each.rule)
                self._write(series.FINDINGS, rule, WORDS[each.action], each.mode)(n)
        rule, mode = self._decisive(decision)
        action, country = WORDS[decision.action], country_of(attempt.phone)
        self._write(series.DECISIONS, action, rule, mode, country)(n)
        where = (series.REFUSED, action, country) if decision.action else (series.SPENT, country)
        if attempt.price:
            self._write(*where)(n * attempt.price)

    def _decisive(self, decision: Decision) -> tuple[str, str]:
        """The rule that a decision is put down to, and its mode."""
        if (decisive := decision.finding) is not None:
            return self._rule(decisive.rule), "enforce"
        for each in decision.findings:
            if each.mode == "monitor" and each.action:
                return self._rule(each.rule), "monitor"
        return "", "enforce"

    def _rule(self, name: str) -> str:
        if name not in self._rules:
            if len(self._rules) >= RULES:
                return "other"
            self._rules.add(name)
        return name

    def _called(self, latency: Write, seconds: float, error: StoreError | None) -> None:
        """The store has answered, or failed."""
        latency(seconds)
        if error is not None:
            self._write(series.FAULTS, "refused" if error.refused else "no_answer")(1)

    def _write(self, of: Series, *labels: str) -> Write:
        writer = self._writers.get((of, labels))
        if writer is None:
            writer = self._writers[of, labels] = self.instrument(of, labels)
        return writer


def _kind(decision: Decision) -> object:
    """What is equal for decisions that are counted alike."""
    attempt, phone = decision.attempt, decision.attempt.phone
    kind = (phone.region, phone.calling_code, attempt.price, decision.action, attempt.proved,
            decision.degraded)  # fmt: skip
    if not decision.findings:
        return kind
    return kind, *[(each.rule, each.action, each.mode) for each in decision.findings]


def breakers(store: Store) -> Sequence[Breaker]:
    """Those of a Redis, one for each shard; a store in memory has none."""
    store = behind(store)
    return store.breakers if isinstance(store, RedisStore) else ()
