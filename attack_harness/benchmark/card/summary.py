"""The headline figures: the fields of the harness's own scorecard, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...figures import Table, money, share
from ..cells import CALM
from ..people import SUBGROUPS
from .certainty import Families, together, with_intervals
from .tally import Figures, Tally, least, most

Rows = Mapping[str, Mapping[str, Any]]


def summary(seeds: Mapping[int, Families], rows: Rows) -> Table:
    """Totals over all cells with an attack; ``ci`` has the interval of every figure."""
    figures = with_intervals(seeds, totals) if seeds else {}
    found: Table = {name: figure["value"] for name, figure in figures.items()}
    for name in COUNTS:
        found[name] = round(found.get(name) or 0)
    return found | {
        "worst_attack": _worst_attack(rows),
        "worst_group": worst_group(together(list(seeds.values()))),
        "ci": {name: [f["low"], f["high"]] for name, f in figures.items()},
    }


COUNTS = (
    "messages_before_first_refusal",
    *("users", "users_harmed", "users_challenged", "worst_group_harmed"),
)


def totals(families: Families) -> Figures:
    """The summary's figures from tallies."""
    attacks = {name: tally for name, tally in families.items() if name not in CALM}
    total = Tally.all(attacks.values())
    s, figures = total.sums, total.figures()
    each = [tally.figures() for tally in attacks.values()]
    worst = worst_group(families)
    return {
        "attack_spend_without": money(s["spend_without"]),
        "attack_spend_with": money(s["spend_with"]),
        "saved": figures.get("saved"),
        "worst_attack_saved": least(f.get("saved") for f in each),
        "messages_before_first_refusal": s["before_messages"],
        "spend_before_first_refusal": money(s["before_dollars"]),
        "sends_before_refusal_p50": figures.get("block_messages_p50"),
        "sends_before_refusal_p95": figures.get("block_messages_p95"),
        "attacker_profit_max": most(f.get("attacker_profit") for f in each),
        "users": s["people.all"],
        "users_harmed": s["harmed.all"],
        "users_harmed_share": share(s["harmed.all"], s["people.all"]),
        "users_challenged": s["challenged.all"],
        "users_challenged_share": share(s["challenged.all"], s["people.all"]),
        "worst_group_harmed": s[f"harmed.{worst}"],
        "worst_group_harmed_share": figures["harmed_share_worst_group"],
    }


def worst_group(families: Families) -> str:
    """The subgroup of users of which the largest share was refused."""
    s = Tally.all(t for name, t in families.items() if name not in CALM).sums
    return max(SUBGROUPS, key=lambda group: share(s[f"harmed.{group}"], s[f"people.{group}"]))


def _worst_attack(rows: Rows) -> str | None:
    """The family of whose cost the least was saved."""
    saved = {
        row: figures["saved"]["value"]
        for row, figures in rows.items()
        if row != "overall" and figures.get("saved", {}).get("value") is not None
    }
    return min(saved, key=lambda row: saved[row]) if saved else None
