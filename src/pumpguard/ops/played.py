"""What a policy like the one at hand was worth when it was played: rows of the public scorecard."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pumpguard.policy import Policy
from pumpguard.rules.defaults import default_rules

CHALLENGE = "challenge"
PARTS = ("home", "verify", CHALLENGE)
"""What distinguishes the deployments that are played."""

ADVICE = {"home": "With home=", "verify": "With verify=", CHALLENGE: "With a challenge"}


@dataclass(frozen=True, slots=True)
class Row:
    """One deployment with the default chain, played with every attack and every crowd.

    All but the texts are shares: of what attacks cost, how much was ``saved``, and of the worst
    ``attack``; of a crowd's users, how many were ``refused`` in the worst one, and ``asked`` for
    proof.
    """

    parts: frozenset[str]
    saved: float
    saved_worst: float
    attack: str
    refused: float
    refused_in: str
    asked: float
    asked_in: str

    @classmethod
    def of(cls, table: dict[str, Any]) -> Row:
        """From its JSON."""
        return cls(**{**table, "parts": frozenset(table["parts"])})

    def __str__(self) -> str:
        return (
            f"{_share(self.saved)} of what attacks cost is saved, {_share(self.saved_worst)} of "
            f"the worst ({self.attack}); in the worst crowd {_share(self.refused)} of the users "
            f"are refused ({self.refused_in}), and {_share(self.asked)} asked for proof "
            f"({self.asked_in})"
        )


@cache
def document() -> dict[str, Any]:
    """All rows, and how they were made; the scorecard writes it (``--publish-rows``)."""
    text = files("pumpguard.data").joinpath("deployments.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def setting(made: dict[str, Any]) -> str:
    """With which days they were played, in words."""
    seeds = " to ".join(str(seed) for seed in sorted({made["seeds"][0], made["seeds"][-1]}))
    drawn = "held-out " if made["held_out"] else ""
    part = "" if made["part"] == 1 else f", {100 * made['part']:g} % of each attack's time"
    return f"{drawn}seeds {seeds}, {made['users']:,} users a day{part}"


def rows() -> list[Row]:
    """All that were played."""
    return [Row.of(table) for table in document()["rows"]]


def parts_of(policy: Policy, *, has_challenge: bool) -> frozenset[str]:
    """Which parts a policy has."""
    has = {"home": bool(policy.home), "verify": policy.verified, CHALLENGE: has_challenge}
    return frozenset(part for part in PARTS if has[part])


def not_enforced(policy: Policy) -> list[str]:
    """The rules of the default chain that ask or refuse, and that this policy does not enforce by
    their own mode. Of a policy without one of them no row can speak."""
    enforced = {rule.name for rule in policy.chain if rule.mode == "enforce"}
    default = default_rules(
        policy.home, daily_budget=policy.daily_budget, verified=policy.verified,
        session=policy.session is not None,
    )  # fmt: skip
    return [
        rule.name
        for rule in default
        if rule.mode == "enforce" and rule.action != "allow"
        if enforced.isdisjoint((rule.name, f"{policy.use}.{rule.name}"))
    ]


def nearest(parts: Set[str], among: Sequence[Row]) -> Row:
    """The row that has the most of these parts and no other; if each has another, the one that has
    the fewest others."""
    return max(among, key=lambda row: (-len(row.parts - parts), len(row.parts & parts)))


def told(parts: Set[str], among: Sequence[Row]) -> list[str]:
    """The row of a policy with these parts, and what one part more would change, a sentence
    each."""
    mine, made = nearest(parts, among), document()
    shown = ", ".join(part for part in PARTS if part in mine.parts) or "send alone"
    such = "such a policy" if mine.parts == parts else "the policy that is most like it"
    said = [
        f"Played with {such} ({shown}; on {made['made']}, {setting(made)}, prices of "
        f"{made['prices']}): {mine}."
    ]
    for part in PARTS:
        more = nearest(parts | {part}, among)
        if part not in parts and more.parts - mine.parts == {part}:
            said.append(f"{ADVICE[part]}: {more}.")
    return said


def _share(part: float) -> str:
    """``98.1 %``; never rounded to all or to nothing that it is not."""
    percent = 100 * part
    for digits in (0 if percent in (0, 100) else 1, 2, 3):
        text = f"{percent:.{digits}f}"
        if (float(text) in (0, 100)) == (percent in (0, 100)):
            break
    return f"{text} %"
