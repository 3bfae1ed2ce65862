"""What Prometheus is told: every decision, its dollars, the store, and what the guard noticed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route

from pumpguard import Action, Finding, Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.decision import Decision
from pumpguard.listeners import Became, Listener, Recorded
from pumpguard.observations.peers import EACH
from pumpguard.ops import series
from pumpguard.ops.meter import PAUSE, RULES
from pumpguard.ops.prometheus import MetricsApp, PrometheusMeter, metrics_app
from pumpguard.receipts.base import Reported
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import PHONE, ask
from tests.otp_app import Outbox, guarded, otp_app

GERMAN = "+4915112345678"


def registered(guard: Guard) -> tuple[PrometheusMeter, Callable[..., float | None]]:
    """A meter, and what looks a sample up by its name and labels."""
    registry = CollectorRegistry()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    return PrometheusMeter(guard, registry), value


async def asked(app: Any) -> str:
    """What an app shows."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text


async def scraped(app: Any) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """All samples that an app shows, by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(await asked(app)):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def finding(rule: str, action: Action = Action.THROTTLE, **others: Any) -> Finding:
    """One that is enforced, unless it is said."""
    return Finding(rule, action, "CODE", **others)


async def test_a_decision_is_counted_with_its_dollars() -> None:
    """By what was done, by which rule, in which mode, to which country."""
    app = guarded(otp_app(Outbox()))
    meter, value = registered(app.guard)
    assert (await ask(app)).status == 202
    assert (await ask(app)).status == 429
    price = app.guard.attempt(PHONE).price
    meter.poll()
    sent = {"action": "allow", "rule": "", "mode": "enforce", "country": "GB"}
    refused = {**sent, "action": "throttle", "rule": "limit"}
    assert value("pumpguard_decisions_total", **sent) == 1
    assert value("pumpguard_decisions_total", **refused) == 1
    assert value("pumpguard_spent_dollars_total", country="GB") == pytest.approx(price)
    assert value(
        "pumpguard_refused_dollars_total", action="throttle", country="GB"
    ) == pytest.approx(price)


def test_what_monitoring_let_pass_is_put_down_to_its_rule() -> None:
    """An operator who tries a rule sees what it would have refused."""
    guard = Guard(Policy(send="/"))
    meter, value = registered(guard)
    found = (finding("trial", mode="monitor"), finding("other", Action.ALLOW))
    meter.decided(Recorded(Decision(make_attempt(GERMAN), findings=found), 0.0))
    labels = {"action": "allow", "rule": "trial", "mode": "monitor", "country": "DE"}
    assert value("pumpguard_decisions_total", **labels) == 1
    assert value("pumpguard_findings_total", rule="trial", action="throttle", mode="monitor") == 1
    assert value("pumpguard_findings_total", rule="other", action="allow", mode="enforce") is None


def test_challenges_are_posed_and_met() -> None:
    """What was posed and not met was abandoned; a solution that another rule refuses is one."""
    guard = Guard(Policy(send="/"))
    meter, value = registered(guard)
    assert value("pumpguard_challenges_total", result="met") == 0
    asked = Decision(make_attempt(GERMAN), Action.CHALLENGE, (finding("a", Action.CHALLENGE),))
    proved = Decision(
        make_attempt(GERMAN, proved=True), Action.BLOCK, (finding("b", Action.BLOCK),)
    )
    for decision in (asked, asked, proved):
        meter.decided(Recorded(decision, 0.0))
    assert value("pumpguard_challenges_total", result="posed") == 2
    assert value("pumpguard_challenges_total", result="met") == 1


def test_outcomes_are_counted_by_country() -> None:
    """Messages and the codes that were entered for them: one code may verify two messages."""
    guard = Guard(Policy(send="/"))
    meter, value = registered(guard)
    phone = make_attempt(GERMAN).phone
    meter.outcome(Became(phone, "verified", 0.0, messages=2, usd=0.25))
    meter.outcome(Became(phone, "verified", 0.0, messages=0))
    meter.outcome(Became(phone, "unallocated", 0.0))
    assert value("pumpguard_verifications_total", country="DE") == 2
    assert value("pumpguard_outcomes_total", outcome="verified", country="DE") == 2
    assert value("pumpguard_outcomes_total", outcome="unallocated", country="DE") == 1
    assert value("pumpguard_verified_dollars_total", country="DE") == 0.25


def test_receipts_are_counted_and_deliveries_timed() -> None:
    """By the number's country, and the carrier where one is named."""
    meter, value = registered(Guard(Policy(send="/")))
    phone = make_attempt(GERMAN).phone
    meter.reported(Reported(phone, "sinch", "delivered", 0.0, "26202", 12.0))
    meter.reported(Reported(phone, "twilio", "failed", 0.0))
    where = {"country": "DE", "carrier": "26202"}
    assert value("pumpguard_receipts_total", outcome="delivered", **where) == 1
    assert value("pumpguard_receipts_total", outcome="failed", country="DE", carrier="") == 1
    name = "pumpguard_delivery_duration_seconds"
    assert value(f"{name}_sum", **where) == 12.0
    assert value(f"{name}_bucket", le="10.0", **where) == 0
    assert value(f"{name}_bucket", le="20.0", **where) == 1
    assert value(f"{name}_count", country="DE", carrier="") is None


def test_no_label_is_for_others_to_choose() -> None:
    """Numbers of no country count by their calling code; rules that make up names by one name."""
    guard = Guard(Policy(send="/"))
    meter, value = registered(guard)
    for i in range(2 * RULES):
        refused = Decision(
            make_attempt("+88216112345"), Action.BLOCK, (finding(f"r{i}", Action.BLOCK),)
        )
        meter.decided(Recorded(refused, 0.0))
    labels = {"action": "block", "mode": "enforce", "country": "+882"}
    assert value("pumpguard_decisions_total", rule="r0", **labels) == 1
    assert value("pumpguard_decisions_total", rule="other", **labels) == RULES


async def test_nothing_of_a_person_is_shown() -> None:
    """Neither a number nor an address nor a block, whatever was decided and noticed."""
    app = guarded(otp_app(Outbox()), rules=())
    shown = MetricsApp(app.guard)
    numbers = [f"+447400{200_000 + 7_919 * n}" for n in range(EACH)]
    for number in numbers:
        await ask(app, number, client=("8.8.4.4", 1))
    text = await asked(shown)
    assert 'pumpguard_noticed{code="PG092"} 1.0' in text
    assert "8.8.4" not in text
    assert not [number for number in numbers if number[1:8] in text]


def test_alerts_and_what_was_noticed_are_counted_by_code() -> None:
    """What the log has said within the hour stands at 1, and then at 0."""
    clock = FakeClock()
    guard = Guard(Policy(send="/"), clock=clock)
    meter, value = registered(guard)
    meter.alerted(Alert("SEND_SPIKE", "send_spike", {}, None, 0.0))
    guard.notices.say("PG071", "verify", "nothing is heard")
    meter.poll()
    assert value("pumpguard_alerts_total", code="SEND_SPIKE") == 1
    assert value("pumpguard_noticed", code="PG071") == 1
    clock.advance(3_601)
    meter.poll()
    assert value("pumpguard_noticed", code="PG071") == 0


def test_what_others_count_is_added_once() -> None:
    """However often it is looked at."""
    guard = Guard(Policy(send="/", verify="/verify"))
    meter, value = registered(guard)

    class Leaky(Listener):
        name = "leaky"

    leaky = Leaky()
    guard.listen(leaky)
    guard.observations.sends_nothing()
    leaky.dropped = 3
    for _ in range(2):
        meter.poll()
    assert value("pumpguard_observed_total", what="sends_nothing") == 1
    assert value("pumpguard_events_dropped_total", listener="leaky") == 3
    assert value("pumpguard_events_dropped_total", listener="metrics") is None
    assert value("pumpguard_outcomes_waiting") == 0
    assert value("pumpguard_outcomes_lost_total") == 0


async def test_the_posture_is_the_fleets() -> None:
    """Also where another process has set it; a country's own, and normal once that is over."""
    guard = Guard(Policy(send="/"))
    app = MetricsApp(guard)
    await guard.overrides.posture("known_only", author="a", country="BD")
    await guard.overrides.posture("challenge_all", author="a")
    found = (await scraped(app))["pumpguard_posture"]
    assert found == {(("country", ""),): 2, (("country", "BD"),): 3}
    await guard.overrides.posture("normal", author="a", country="BD")
    await guard.overrides.posture("normal", author="a")
    found = (await scraped(app))["pumpguard_posture"]
    assert found == {(("country", ""),): 1, (("country", "BD"),): 1}


async def test_what_is_left_of_budgets() -> None:
    """Of the hour, the day and the month, by what has been let through; verified or not."""
    guard = Guard(Policy(send="/", daily_budget=600))
    meter, value = registered(guard)
    attempt = guard.attempt(GERMAN)
    assert (await guard.assess(attempt)).allowed
    await meter.look()
    for seconds, limit in (("3600", 100.0), ("86400", 600.0), (str(30 * 86_400), 12_000.0)):
        labels = {"rule": "budget", "seconds": seconds}
        assert value("pumpguard_budget_limit_dollars", **labels) == limit
        left = value("pumpguard_budget_left_dollars", **labels)
        assert left == pytest.approx(limit - (attempt.price or 0))
    await guard.aclose()


async def test_a_decision_takes_gauges_up_now_and_then() -> None:
    """Where an app shows the default registry, nobody else does."""
    clock = FakeClock()
    guard = Guard(Policy(send="/"), clock=clock)
    meter, value = registered(guard)
    guard.listen(Listener())
    decision = Decision(make_attempt(GERMAN))
    meter.decided(Recorded(decision, clock()))
    await meter.aclose()
    assert value("pumpguard_posture", country="") == 1
    await guard.overrides.posture("closed", author="a")
    meter.decided(Recorded(decision, clock() + PAUSE - 1))
    await meter.aclose()
    assert value("pumpguard_posture", country="") == 1
    meter.decided(Recorded(decision, clock() + PAUSE))
    await meter.aclose()
    assert value("pumpguard_posture", country="") == 4


async def test_the_stores_answers_are_timed() -> None:
    """And its faults are counted, and the breaker is seen to open."""
    with EmbeddedServer() as server:
        guard = Guard(Policy(send="/", deadline=5.0), server.url)
        meter, value = registered(guard)
        await guard.assess(guard.attempt(GERMAN))
        answered = value("pumpguard_store_duration_seconds_count")
        assert answered is not None
        assert answered >= 1
        meter.poll()
        assert value("pumpguard_store_breaker", shard="0") == 0
        assert value("pumpguard_store_faults_total", reason="no_answer") == 0
    for i in range(20):
        await guard.assess(guard.attempt(f"+49151123456{i:02}"))
    meter.poll()
    faults = value("pumpguard_store_faults_total", reason="no_answer")
    assert faults is not None
    assert faults >= 5
    assert value("pumpguard_store_breaker", shard="0") == 2
    degraded = value("pumpguard_decisions_degraded_total")
    assert degraded == 20
    await meter.look()  # the posture stays as it was known
    await guard.aclose()


async def test_the_app_shows_all_series() -> None:
    """As a route of any ASGI app; every name is one of the table's."""
    guard = Guard(Policy(send="/"))
    found = await scraped(Starlette(routes=[Route("/metrics", metrics_app(guard))]))
    names = {re.sub(r"_(created|bucket|sum|count)$", "", name) for name in found}
    told = {each.prometheus for each in series.ALL}
    created = {each.prometheus.removesuffix("_total") for each in series.ALL}
    assert names <= told | created
    assert "pumpguard_posture" in names
    assert "pumpguard_store_duration_seconds" in names
    await guard.aclose()


WORKER = """
import asyncio, os, sys
from pumpguard import Guard, Policy
from pumpguard.ops.prometheus import MetricsApp
from tests.ops.prometheus.test_exporter import scraped

async def main():
    guard = Guard(Policy(send="/"))
    app = MetricsApp(guard)
    await guard.assess(guard.attempt("+4915112345678"))
    await guard.overrides.posture(sys.argv[1], author="a")
    found = await scraped(app)
    print(sum(found["pumpguard_decisions_total"].values()), found["pumpguard_posture"])

asyncio.run(main())
"""


def test_several_workers_are_one(tmp_path: Path) -> None:
    """Whichever is asked adds up what all have counted, also those that ended; gauges are those of
    the living."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    said = []
    for posture in ("closed", "normal"):
        done = subprocess.run(
            [sys.executable, "-c", WORKER, posture],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.append(done.stdout.strip())
    assert said == ["1.0 {(('country', ''),): 4.0}", "2.0 {(('country', ''),): 1.0}"]
    assert len(list(tmp_path.glob("gauge_livemostrecent*"))) == 1
