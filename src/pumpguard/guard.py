"""The guard: one attempt in, one decision out, for HTTP and for background workers alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumpguard.alerts import Alert, Alerts
from pumpguard.alerts.webhook import Webhook
from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge
from pumpguard.config import require_arguments, require_parts, require_plain
from pumpguard.decision import Decision
from pumpguard.engine.decide import Engine
from pumpguard.errors import PolicyError
from pumpguard.held_out import held_out
from pumpguard.intake.network import Networks, default_networks
from pumpguard.intake.reader import Reader
from pumpguard.listeners import Listener, Listeners, WatchedRequest
from pumpguard.notices import Notices
from pumpguard.observations import Observations
from pumpguard.outcomes import Ticket
from pumpguard.outcomes.reports import MessageOutcome, OutcomeReports
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.escalator import Escalator
from pumpguard.overrides.lists import keyed_hash
from pumpguard.overrides.sync import OverrideSync
from pumpguard.policy import Policy
from pumpguard.protects import Protects
from pumpguard.rules.challenge import with_single_use
from pumpguard.scores import Score, decide_with_score
from pumpguard.shadow.current import CurrentRequest
from pumpguard.shadow.more import MoreMessages
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.tokens import Tokens
from pumpguard.startup import checked, say_what_is_missing
from pumpguard.store import open_store
from pumpguard.store.base import Store
from pumpguard.watch import AttackWatch

if TYPE_CHECKING:
    from pumpguard.replies import OnRefusal
    from pumpguard.store.health import Concern


class Guard(Protects):
    """Judges attempts by a policy, over a store.

    ``policy`` may be the path of its TOML file. ``store`` is a URL (``redis://``, ``rediss://``,
    ``unix://``, ``memory://``) or a store. ``clock`` replaces the store's own clock, in Unix
    seconds, where time is simulated. ``challenge`` poses challenges and knows a solved one
    (`pumpguard.challenges`); ``networks`` looks addresses up; ``score`` is asked about requests
    whose risk score is medium, if the policy's ``risk`` is enforced. ``on_decision`` is called once
    for every decision, after the reply, and ``on_alert`` for what needs a person; ``on_refusal``
    may answer what is refused (`pumpguard.replies.OnRefusal`). ``overrides`` sets the posture and
    the lists of all processes that share the store. Raises `PolicyError`.
    """

    def __init__(
        self,
        policy: Policy | str | Path,
        store: str | Store = "memory://",
        *,
        clock: Callable[[], float] | None = None,
        challenge: Challenge | None = None,
        networks: Networks | None = None,
        score: Score | None = None,
        on_decision: Callable[[Decision], None] | None = None,
        on_alert: Callable[[Alert], None] | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self.policy = policy = checked(policy, store, clock)
        where = store
        if isinstance(store, str):
            routes = policy.send if isinstance(policy.send, str) else ", ".join(policy.send)
            store = open_store(
                store,
                name=policy.name,
                secret=policy.secret,
                deadline=policy.deadline,
                shards=policy.shards,
                routes="" if policy.use else routes,
            )
        self.store: Store = store
        self.simulated = clock is not None
        self.notices = Notices(clock or time.monotonic)
        self.tokens = Tokens(policy.secret, clock)
        self.challenge = challenge
        require_parts(networks=networks, challenge=challenge, score=score)
        networks = default_networks() if networks is None else networks
        self.reader = Reader(policy, networks, challenge, clock, self.notices)
        self.on_refusal = on_refusal
        require_arguments("on_refusal", on_refusal, 2, "a function of a refusal and its request")
        self.observations = Observations(
            self.notices, policy.proxy_header, self.reader.proxies.names,
            listens=policy.verified, told_success=policy.verified_when is not None,
            looks_for=self.reader.looks_for, proxies=bool(policy.proxies),
        )  # fmt: skip
        require_plain(on_decision=on_decision, on_alert=on_alert)
        self.listeners = listeners = Listeners(self.notices, on_decision)
        self._on_alert = on_alert
        self._score = score
        if score is not None and policy.risk is None:
            raise PolicyError("risk", "levels: an outside score is asked about the medium one")
        self.reports = OutcomeReports(policy, store, self.observations, clock, listeners)
        hashed, overrides, now = keyed_hash(policy.secret), store.overrides, clock or time.time
        self._sync = sync = OverrideSync(overrides, hashed, self.notices, sharded=policy.shards > 1)
        self.overrides = OverrideAdmin(
            overrides, hashed, region=policy.region, clock=now, on_change=sync.invalidate,
            listeners=listeners,
        )  # fmt: skip
        self.rules = rules = with_single_use(policy.chain, challenge)
        knows = (store, sync, self.reports.queue, self.observations, self.simulated)
        self._engine = Engine(policy, rules, *knows)
        self.held_out = held_out(policy, rules, *knows)
        asks = (self.reader, self.decide, self.record, self.reports.not_sent, self.observations)
        more = MoreMessages(policy, *asks, self.tokens, overrides.claim, simulated=self.simulated)
        self.more = None if policy.mode == "monitor" else more  # it would have to refuse
        claim = None if self.simulated else overrides.claim
        self._alerts = Alerts(on_alert, now, claim, self.notices)
        self._alerts.listeners.append(listeners.alerted)
        watches = (store, claim, now, self._alerts.tell, listeners)
        self._watch = AttackWatch(policy.daily_budget, *watches)
        steps = policy.escalation if policy.mode == "enforce" else None
        writes = (self.overrides, sync, self.notices)
        self._escalator = None if steps is None else Escalator(steps, *writes)
        asks_proof = {"has_challenge": challenge is not None, "simulated": self.simulated}
        say_what_is_missing(self, policy, where, self.notices, **asks_proof)

    def attempt(self, phone: str, address: str | None = None, **facts: Any) -> Attempt:
        """An attempt from outside HTTP, such as a task queue. Raises `IntakeError`.

        ``facts`` may be ``session``, ``account``, ``device``, ``proved`` and ``solution`` (what
        proved it, if that counts once), ``extra``: values on the policy's own dimensions, and
        ``parts``: of how many the message is billed, if the policy's ``parts`` are a function.
        """
        return self.reader.attempt(self.reader.phone(phone), address, **facts)

    async def assess(self, attempt: Attempt) -> Decision:
        """Decide about an attempt, and record the decision. Wrapped senders that the caller then
        calls for its number obey it."""
        decision = await self.decide(attempt)
        self.record(decision)
        self.admitted(decision, None)
        OPEN.assess(CurrentRequest(decision, self.simulated, tokens=self.tokens, more=self.more))
        return decision

    def decide(self, attempt: Attempt) -> Coroutine[Any, Any, Decision]:
        """Decide about an attempt in one trip to the store, or in a second one too if an outside
        score was asked, or what was refused is held out."""
        score, risk = self._score, self.policy.risk
        if score is None or risk is None or risk.mode != "enforce":
            deciding = self._engine.decide(attempt)
        else:
            deciding = decide_with_score(self._engine, attempt, score, risk, self.notices)
        return deciding if self.held_out is None else self.held_out.decide(attempt, deciding)

    def settle(self, message: Decision | Ticket | str, outcome: MessageOutcome) -> None:
        """Say what became of a message; ``message`` is its decision, or its ticket, also as text.

        ``not_sent`` (or ``failed``, which means the same): all that it was charged is given back,
        within caps (docs/money.md). ``sent``, also for what nobody knows: it stays as it is.
        ``unallocated``: it was sent and billed, and the operator rejected it because nobody has the
        number. Nothing is given back for such a message: no limit, not its dollars, not its credit,
        and for conversion it stays unverified.

        Returns at once, whatever the store does; only the first outcome of a message counts. Raises
        `TicketError` for a text that is no ticket and for any other outcome.
        """
        self.reports.settle(message, outcome)

    def verified(self, phone: str) -> None:
        """Say that a code was entered for this number, spelt as it may be. Raises `IntakeError`."""
        self.reports.verified(self.reader.phone(phone))

    def admitted(self, decision: Decision, flow: str | None) -> None:
        """A message goes out, or went out, and the app knows its number by this flow."""
        asks = bool(decision.reservation) and self.observations.sent(decision.attempt.at)
        if asks or flow is not None:
            self.reports.admitted(decision.attempt, flow)

    async def settled(self) -> None:
        """Wait until all outcomes and alerts so far have been delivered, or cannot be for now."""
        await self.reports.settled()
        await self._sync.settled()
        await self._watch.done()
        await self._alerts.done()
        if self._escalator is not None:
            await self._escalator.done()

    def listen(self, listener: Listener) -> None:
        """Tell a listener all that this guard does from now on (`pumpguard.listeners`)."""
        self.listeners.append(listener)

    def record(
        self, decision: Decision, *others: Decision, watched: WatchedRequest | None = None
    ) -> None:
        """Pass a decision to all listeners, and those about further numbers of its request: if it
        refuses, none of these was sent."""
        for each in others if decision.action else ():
            self.reports.not_sent(each)
        for each in (decision, *others):
            if self.observations.nobody_passed:
                self.observations.decided(each)
            if each.findings:
                self._alerts.record(each)
                if self._escalator is not None:
                    self._escalator.record(each)
            if each.action or self.listeners:
                self.listeners.record(each, self.overrides.now(), watched)

    async def check(self) -> tuple[Concern, ...]:
        """What an operator should mend about the store, as far as it can be seen. A Redis is
        checked once in any case, in the background, and the log says what was found."""
        from pumpguard.store.health import check

        return await check(self.store)

    async def aclose(self) -> None:
        """Deliver what is queued, and close the store's connections."""
        await self.reports.close()
        await self.settled()
        if isinstance(self._on_alert, Webhook):
            await self._on_alert.aclose()
        await self.listeners.aclose()
        await self._sync.aclose()
        await self.store.aclose()
        for service in (self._score, self.challenge):
            if service is not None:
                await service.aclose()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
