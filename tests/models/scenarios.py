"""What hypothesis plays with: small counters of each kind, in plans that bind and plans that watch,
and the times at which something happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Pulse,
    Refunds,
    Retyped,
    Spend,
    Spike,
    Tickets,
    Trust,
    Unsent,
    Window,
)
from pumpguard.counters.plan import Plan, Weight
from pumpguard.decision import Action

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
"""ms."""


@dataclass(frozen=True)
class Scenario:
    """``plans`` are asked; the counters of the first are told of outcomes, and ``settling``, which
    nobody asks. ``steps`` (ms) lead to edges."""

    plans: tuple[Plan, ...]
    steps: tuple[int, ...] = ()
    repeats: int = 3
    settling: tuple[Counter, ...] = ()


def plans(*counters: Counter, weights: Sequence[Weight] = ()) -> tuple[Plan, ...]:
    """All of them binding; with every second only watched, telling no more than it has to; the
    second half alone, so that something is asked about that others have charged; and all, with
    proof."""
    every = [True] * len(counters)
    second = [i % 2 == 0 for i in range(len(counters))]
    half = counters[len(counters) // 2 :]
    return (
        Plan(counters, every, weights=weights),
        Plan(counters, second, reports=False, weights=weights),
        Plan(half, [True] * len(half)),
        Plan(counters, every, weights=weights, proved=True),
    )


def ban(strikes: int, by: str = "network", **more: Any) -> Ban:
    """Of five seconds, then fifteen, forty-five and a minute, after refusals by ``limit``."""
    shape: dict[str, Any] = {"base": 5, "factor": 3.0, "cap": 60, "memory": 40}
    return Ban("ban", by, strikes, 20, **{"fed_by": frozenset({"limit"}), **shape, **more})


MINUTE_EDGES = (1_999, 2_000, 3_000, 3_001, 19_999, 20_000, 20_001, 22_000, 33_000, 60_000)
BAN_EDGES = (4_999, 5_000, 15_000, 20_000, 39_999, 40_000, 45_000, 80_000)
DAY_EDGES = (300 * SECOND, 900 * SECOND, HOUR, DAY, 2 * DAY, 3 * DAY)

LIMIT = Window("limit", "network", 1, 20)
ASKED = Window("limit", "country", 1, 20, action=Action.CHALLENGE)
TRUST = Trust("trust", "network")
KNOWN, TICKETS = Known("settlement", seconds=3 * 86_400), Tickets("settlement", keep=3)
FAMILIAR = Known("settlement", seconds=3 * 86_400, clients=1)
REMEMBERING = Tickets("settlement", remembers=("network",))
REFUNDS = Refunds("settlement", limit=250, seconds=600)
BUDGET = Spend("budget", "country", 1_000, 100, reserved=200, verified=0.3)
PULSE = Pulse("pulse", h=6.0, minimum=3)
CONVERSION = Conversion("conversion", "country", h=3.0, minimum=4, seconds=120, refuse_for=300)
ASKS = Conversion(
    "proof", "country", h=2.0, minimum=2, seconds=120, refuse_for=60, probes=2, longest=200,
    action=Action.CHALLENGE,
)  # fmt: skip
REFUSES = replace(ASKS, action=Action.THROTTLE, proved=True)
BY_NETWORK = Conversion("conversion", "network", h=2.0, minimum=3, seconds=120, refuse_for=60)

SCENARIOS: dict[str, Scenario] = {
    "window": Scenario(
        plans(
            Window("one", "phone", 1, 20),
            Window("shared", "phone", 2, 20),
            Window("shared", "phone", 4, 60),
            Window("shared", "phone", 3, 20, counts="attempts"),
        ),
        MINUTE_EDGES,
    ),
    "window in slices": Scenario(
        plans(
            Window("one", "phone", 13, 20, max_factor=40),
            Window("few", "phone", 2, 30, max_factor=255, counts="attempts"),
            Window("few", "network", 3, 30, max_factor=255),
        ),
        MINUTE_EDGES,
    ),
    "headroom": Scenario(
        plans(
            TRUST,
            Window("log", "network", 2, 20, max_factor=5),
            Window("log", "network", 5, 50, max_factor=5),
            Window("slices", "network", 4, 30, max_factor=200),
        ),
        (*MINUTE_EDGES, DAY, 200_000_000),
    ),
    # Only questions have it: no plan that tells of outcomes does.
    "granted": Scenario(
        plans(
            Trust("trust", "network", granted=True),
            Window("limit", "network", 1, 20, max_factor=2),
            Window("kept", "country", 4, 30, reserved=2),
            ban(1, max_factor=2, yields=True),
        ),
        (*MINUTE_EDGES, *BAN_EDGES),
    ),
    "distinct": Scenario(
        plans(Distinct("few", "network", 2, 20, "country"), Distinct("d", "phone", 1, 60, "asn")),
        (10_000, 19_999, 20_000, 20_000, 60_000),
    ),
    "neighbours": Scenario(
        plans(
            Neighbours("near", "prefix:4", 2, 20, 10),
            Neighbours("far", "prefix:4", 24, 60, 9_999),
            Neighbours("next", "network", 1, 20, 1),
        ),
        (*MINUTE_EDGES, 1, 1, 1),
        repeats=1,
    ),
    "ban": Scenario(plans(LIMIT, ban(3), ASKED, ban(2, by="phone", challenges=True)), BAN_EDGES),
    "ban by attempts": Scenario(
        plans(ban(4, fed_by="attempts"), Window("w", "phone", 3, 20)), BAN_EDGES
    ),
    "ban that yields": Scenario(
        plans(TRUST, LIMIT, ban(2, yields=True, max_factor=3)), (*BAN_EDGES, DAY)
    ),
    "ban that known numbers pass": Scenario(
        plans(KNOWN, TICKETS, LIMIT, ban(2, except_known=True)),
        (*BAN_EDGES, DAY),
    ),
    "ban with strikes in slices": Scenario(plans(LIMIT, ban(3, max_factor=255)), BAN_EDGES),
    "spend": Scenario(
        plans(KNOWN, TICKETS, Spend("budget", "country", 800, 100, verified=0.3), BUDGET),
        (9_999, 10_000, 40_000, 100_000, 110_000, 900_000, 1, 1),
        settling=(REFUNDS,),
    ),
    "credit": Scenario(
        plans(
            KNOWN,
            TICKETS,
            Credit("credit", "country", 1_000, 1_000),
            Credit("credit", "network", 1_000, 100, ratio=0.9, yields=True, vouches=0.5),
        ),
        (999, 1_000, 50_000, 100_000, *DAY_EDGES, 14 * DAY),
    ),
    "conversion": Scenario(
        plans(CONVERSION, BY_NETWORK), (10_000, 60_000, 120_000, 130_000, 300_000, 2 * DAY), 5
    ),
    "conversion by degrees": Scenario(
        (
            *(Plan([TRUST, KNOWN, TICKETS, each], [True] * 4) for each in (REFUSES, REFUSES, ASKS)),
            Plan([REFUSES], [True]),
        ),
        (10_000, 30_000, 60_000, 120_000, 130_000, 200_000, 400_000, 2 * DAY),
        4,
    ),
    "pulse": Scenario(
        plans(PULSE, CONVERSION, TRUST), (60_000, 600_000, HOUR, 5 * HOUR, DAY, 8 * DAY), 5
    ),
    "spike": Scenario(
        plans(Spike("s", minimum=3, ratio=1.5), Spike("a", counts="attempts", minimum=4)),
        (60_000, 600_000, HOUR, 2 * HOUR, 9 * HOUR, DAY, 9 * DAY),
        5,
    ),
    "unsent": Scenario(
        plans(
            KNOWN,
            TICKETS,
            TRUST,
            Unsent("unsent", "network", 1, 60, max_factor=3),
            Unsent("unsent", "phone", 3, 200),
            Window("log", "phone", 2, 60),
            Window("log", "phone", 3, 300),
            Window("tries", "phone", 9, 60, counts="attempts"),
            Window("slices", "network", 3, 30, max_factor=200),
            Neighbours("near", "prefix:4", 2, 60, 10),
            Spend("budget", "country", 900, 100),
        ),
        (*MINUTE_EDGES, 200_000, 300_000, DAY),
        settling=(REFUNDS,),
    ),
    "customers": Scenario(
        plans(
            FAMILIAR,
            REMEMBERING,
            TRUST,
            Window("log", "phone", 3, 60, reserved=2),
            Window("log", "phone", 4, 300, reserved=2, unverified=True),
            Window("slices", "network", 5, 60, max_factor=200, reserved=3),
            BUDGET,
            Credit("credit", "country", 1_000, 1_000, reserved=0.5),
            Credit("asked", "network", 500, 100, yields=True, reserved=1.0),
            Credit("asks", "country", 400, 100, yields=True, except_trusted=True),
            PULSE,
        ),
        (*MINUTE_EDGES, 300_000, DAY),
        settling=(REFUNDS,),
    ),
    "mistyped": Scenario(
        plans(
            KNOWN,
            REMEMBERING,
            Retyped("credit", "country", seconds=60),
            Credit("credit", "prefix:3", 700, 100),
            Credit("asked", "network", 500, 100, yields=True),
        ),
        (*MINUTE_EDGES, 100_000),
        settling=(REFUNDS,),
    ),
    "detectors and customers": Scenario(
        plans(
            FAMILIAR,
            REMEMBERING,
            TRUST,
            LIMIT,
            ban(2, except_known=True),
            ban(1, by="phone", except_known=True, challenges=True),
            Unsent("unsent", "network", 1, 60, max_factor=3),
            Neighbours("near", "prefix:4", 1, 60, 10),
            CONVERSION,
            Window("many", "phone", 600, 60, unverified=True),
        ),
        (*MINUTE_EDGES, *BAN_EDGES, DAY),
        settling=(REFUNDS,),
    ),
    "trust": Scenario(plans(TRUST, Trust("trust", "country", gain=2, share=0.5)), DAY_EDGES, 5),
    "settlement": Scenario(
        plans(KNOWN, REMEMBERING, TRUST, BUDGET, Credit("credit", "network", 700, 100)),
        (1_000, 300_000, 900_000, DAY, 3 * DAY),
        settling=(REFUNDS,),
    ),
}

EVERYTHING = Scenario(
    plans(
        FAMILIAR,
        REMEMBERING,
        PULSE,
        LIMIT,
        ban(2, fed_by=frozenset({"limit", "number"})),
        Window("wide", "phone", 5, 60, action=Action.CHALLENGE),
        ban(12, by="phone", fed_by="attempts", yields=True),
        TRUST,
        Distinct("few", "network", 2, 60, "country"),
        BUDGET,
        Neighbours("near", "prefix:4", 3, 60, 10),
        CONVERSION,
        Credit("credit", "country", 3_000, 100),
        Spike("spike", minimum=3),
        weights=[Weight(3.0, (5, 8)), Weight(0.5, (9,)), Weight(2.0, (10, 12))],
    ),
    (*MINUTE_EDGES, *BAN_EDGES, HOUR, DAY),
    settling=(REFUNDS,),
)
SCENARIOS["everything"] = EVERYTHING
