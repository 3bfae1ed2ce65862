from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from attack_harness.__main__ import Options, one_run, parse
from attack_harness.attackers import FAMILIES
from attack_harness.report import show, write
from attack_harness.report.words import count, dollars, percent
from attack_harness.scorecard import score
from attack_harness.targets import InProcess
from attack_harness.world import World, build

from .fake_app import CHALLENGE, SENT, FakeApp, Verdict


def careful() -> FakeApp:
    """Challenges every block of 1,000 numbers after its first five requests."""
    seen: Counter[str] = Counter()

    def judge(phone: str, address: str, human: bool) -> Verdict:
        seen[phone[:-3]] += 1
        return CHALLENGE if seen[phone[:-3]] > 5 and not human else SENT

    return FakeApp(judge)


async def scorecard(world: World) -> dict[str, Any]:
    async with InProcess(FakeApp()) as target:
        without = await one_run(target, world, lambda at: None)
    async with InProcess(careful()) as target:
        guarded = await one_run(target, world, lambda at: None)
    return score(world, without, guarded, {"mode": "in-process", "part_of_attacks": 0.03})


def timeless(card: dict[str, Any]) -> dict[str, Any]:
    """The scorecard without what the wall clock says."""
    card = json.loads(json.dumps(card))
    del card["run"]["wall_seconds"]
    for run in card["metrics_output"].values():
        del run["timestamp"]
    return card


def test_the_same_seed_builds_the_same_day(small_day: World) -> None:
    assert build(7, 300, tuple(FAMILIES), 0.03) == small_day
    assert build(8, 300, tuple(FAMILIES), 0.03) != small_day


def test_an_attack_is_the_same_whatever_other_attacks_there_are(small_day: World) -> None:
    (alone,) = build(7, 300, ("residential_rotation",), 0.03).attacks
    assert alone == small_day.attacks[-1]


async def test_the_same_day_gives_the_same_scorecard(small_day: World) -> None:
    first, second = await scorecard(small_day), await scorecard(small_day)
    assert timeless(first) == timeless(second)


async def test_without_a_guard_everybody_is_served(small_day: World) -> None:
    card = await scorecard(small_day)
    users = card["users"]
    assert users["got_code_without"] == users["total"]
    assert 0.6 <= users["verified_without"] / users["total"] <= 0.92
    for attack in card["attacks"].values():
        assert attack["without"]["messages"] == attack["without"]["requests"]


async def test_a_guard_that_challenges_saves_from_those_who_do_not_solve(small_day: World) -> None:
    card = await scorecard(small_day)
    assert card["attacks"]["sequential_block"]["saved"] > 0.9
    assert card["attacks"]["residential_rotation"]["saved"] == 0  # it buys its way through
    assert card["attacks"]["residential_rotation"]["with"]["challenges_solved"] > 0
    assert card["summary"]["worst_attack_saved"] == 0
    assert card["refusals_by_rule"]["403"] > 0


async def test_the_seed_simulators_own_export_is_there(small_day: World) -> None:
    card = await scorecard(small_day)
    config = card["metrics_output"]["without"]["attack_config"]
    assert config.keys() == {"rps", "workers", "duration", "phone_reuse_ratio", "unique_phones"}
    assert (config["rps"], config["workers"], config["phone_reuse_ratio"]) == (20.0, 5, 0.7)


async def test_the_report_is_written_and_shown(small_day: World, tmp_path: Path) -> None:
    card = await scorecard(small_day)
    files = write(card, tmp_path / "new" / "folder")
    assert {f.name for f in files} == {"scorecard.json", "scorecard.png", "index.html"}
    assert json.loads(files[0].read_text())["summary"] == card["summary"]
    assert files[1].read_bytes().startswith(b"\x89PNG")
    page = files[2].read_text()
    assert "data:image/png;base64," in page
    assert "http://" not in page.split("</style>")[1]
    console = Console(record=True, width=80, quiet=True)
    show(card, files, console)


async def test_the_screen_fits_eighty_columns(small_day: World) -> None:
    card = await scorecard(small_day)
    console = Console(record=True, width=80, file=io.StringIO())
    show(card, [], console)
    text = console.export_text()
    assert "…" not in text
    assert "Residential rotation" in text
    assert max(map(len, text.splitlines())) <= 80


async def test_several_days_are_told_to_their_end(tmp_path: Path) -> None:
    world = build(1, 60, ("low_and_slow",), 0.1, days=3, lookalikes=("lecture_hall",))
    card = await scorecard(world)
    assert len(card["timeline"]["without"]) == 3 * 288 + 1
    assert card["timeline"]["without"][-1] == pytest.approx(card_total(card))
    assert card["users"]["groups"]["lecture_hall"]["total"] == 150
    write(card, tmp_path)
    show(card, [], Console(quiet=True))


def card_total(card: dict[str, Any]) -> float:
    """What the attacks and the users cost without a guard."""
    return float(card["summary"]["attack_spend_without"] + card["users"]["spend_without"])


async def test_a_day_without_attackers_or_refusals_is_a_report_too(tmp_path: Path) -> None:
    card = await scorecard(build(1, 20, ()))
    assert card["summary"]["worst_attack"] is None
    assert card["summary"]["saved"] == 0
    write(card, tmp_path)
    show(card, [], Console(quiet=True))


def test_the_command_line_has_sensible_defaults() -> None:
    assert parse([]) == Options(1, 4_000, tuple(FAMILIES), 1.0, False, Path("report"))
    assert parse(["--quick"]).part < 1
    assert parse(["--http"]).http
    assert parse(["--attack", "flash", "--users", "9"]).attacks == ("flash",)
    assert parse(["--attack", "adaptive", "--attack", "flash"]).attacks == ("flash", "adaptive")
    assert parse(["--days", "3", "--lookalike", "load_test"]).lookalikes == ("load_test",)


@pytest.mark.parametrize("wrong", [["--users", "0"], ["--attack", "unheard-of"], ["--nonsense"]])
def test_a_wrong_command_line_is_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(wrong)
    assert "error" in capsys.readouterr().err


def test_figures_are_worded_honestly() -> None:
    worded = [percent(share).replace("\xa0", " ") for share in (1.0, 0.99996, 0.5, 0.00001, 0.0)]
    assert worded == ["100 %", "> 99.9 %", "50.0 %", "< 0.1 %", "0 %"]
    assert (dollars(0.567), dollars(12_345.6), dollars(-3.5)) == ("$0.57", "$12,346", "-$3.50")
    assert count(12_345) == "12,345"
