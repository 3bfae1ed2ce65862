"""What goes into the documentation: the picture, a small summary, and tables in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...crowds import CROWDS
from ...figures import Table
from ...lookalikes import LOOKALIKES
from ...report.words import NBSP
from .picture import cells_of, deployments, draw, rivals, rows, short
from .screen import COLUMNS
from .words import figure, goal, interval, limit

BEGIN, END = "<!-- results: written by --publish -->", "<!-- end of results -->"

FAMILY = {
    "saved": "saved",
    "spend_without": "spend without",
    "spend_with": "with",
    "before_messages_p50": "messages before the first refusal",
    "before_messages_p95": "95 %",
    "attacker_profit": "attacker's profit",
    "harmed_share_all": "users refused",
    "challenged_share_during": "challenged meanwhile",
    "recovery_p95": "recovery, 95 %",
}
SET_UP = {
    "saved": "saved",
    "saved_worst_family": "worst",
    "attacker_profit_max": "profit",
    "harmed_share_all": "refused in attacks",
    "challenged_share_during": "asked",
    "harmed_share_crowd_worst": "refused, worst crowd",
    "challenged_share_crowd_worst": "asked, worst crowd",
    "false_alerts_worst": "false alerts a day",
}
CROWD = ("harmed_share_crowd", "challenged_share_crowd")
ALIKE = {"harmed_share_lookalike": "refused", "challenged_share_lookalike": "challenged"}


def publish(scorecard: Table, docs: Path) -> list[Path]:
    """Write ``scorecard.png`` and ``scorecard.json``, and the results into ``scorecard.md``."""
    files = [docs / f"scorecard.{kind}" for kind in ("png", "json", "md")]
    files[0].write_bytes(draw(scorecard))
    kept = {name: scorecard[name] for name in ("schema", "scored", "summary", "targets", "run")}
    files[1].write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    files[2].write_text(put(files[2].read_text(encoding="utf-8"), results(scorecard)), "utf-8")
    return files


def put(page: str, found: str) -> str:
    """The page with other results; ValueError if it has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{found}\n{END}{after}"


def results(scorecard: Table) -> str:
    """All tables, with what was played."""
    run, scored = scorecard["run"], scorecard["scored"]
    days = ", ".join(f"{name} {count}" for name, count in run["seeds_by_defence"].items())
    drawn = "held-out seeds and parameters" if run["held_out"] else "the seeds that were tuned for"
    prices = " and ".join(run["prices"])
    said = [
        f"Made {run['made'][:10]} with code `{run['code']['now']}`: {drawn}, "
        f"{run['users']:,} users a day, prices of {prices}; days per defence: {days}.",
        *run["warnings"],
        _grid(("figure to reach", "target", "measured", "95 % interval", ""), _targets(scorecard)),
        _grid(("defence", *COLUMNS.values()), _lines(scorecard, rivals(scorecard), COLUMNS)),
        _grid(("attack", *FAMILY.values()), _families(scorecard, scored)),
    ]
    alike = [name for name in LOOKALIKES if name in scorecard["families"]]
    if alike:
        heads = [f"{name.replace('_', ' ')}: {w}" for name in alike for w in ALIKE.values()]
        said.append(_grid(("defence", *heads), _alike(scorecard, alike)))
    if crowds := [name for name in CROWDS if name in scorecard["families"]]:
        heads = [scorecard["defences"][name]["title"] for name in deployments(scorecard)]
        said.append(_grid(("set up", *SET_UP.values()), _set_up(scorecard)))
        said.append(_grid(("crowd: refused (asked)", *heads), _crowds(scorecard, crowds)))
    return "\n\n".join(said)


def _targets(scorecard: Table) -> Iterable[Sequence[str]]:
    for each in scorecard["targets"]:
        verdict = {True: "met", False: "**missed**", None: "not measured"}[each["met"]]
        yield each["title"], limit(each), goal(each), interval(each), verdict


def _lines(
    scorecard: Table, defences: Iterable[str], columns: Iterable[str]
) -> Iterable[Sequence[str]]:
    for name in defences:
        found = cells_of(scorecard, name, "overall")
        yield scorecard["defences"][name]["title"], *(figure(c, found.get(c)) for c in columns)


def _families(scorecard: Table, scored: str) -> Iterable[Sequence[str]]:
    for row in rows(scorecard):
        found = cells_of(scorecard, scored, row)
        title = short(scorecard["families"][row]["title"])
        yield title, *(figure(column, found.get(column)) for column in FAMILY)


def _alike(scorecard: Table, alike: Sequence[str]) -> Iterable[Sequence[str]]:
    for name in rivals(scorecard):
        found = [cells_of(scorecard, name, row) for row in alike]
        shown = [figure(column, row.get(column)) for row in found for column in ALIKE]
        yield scorecard["defences"][name]["title"], *shown


def _set_up(scorecard: Table) -> Iterable[Sequence[str]]:
    for name in deployments(scorecard):
        found = {**cells_of(scorecard, name, "overall"), **cells_of(scorecard, name, "crowds")}
        yield scorecard["defences"][name]["title"], *(figure(c, found.get(c)) for c in SET_UP)


def _crowds(scorecard: Table, crowds: Iterable[str]) -> Iterable[Sequence[str]]:
    for crowd in crowds:
        shown = []
        for name in deployments(scorecard):
            found = cells_of(scorecard, name, crowd)
            refused, asked = (figure(each, found.get(each)) for each in CROWD)
            shown.append(f"{refused} ({asked})")
        yield scorecard["families"][crowd]["title"], *shown


def _grid(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    table = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in table).replace(NBSP, " ")
