"""The harness against the real example app: in process, and over real sockets."""

from __future__ import annotations

from pathlib import Path

from attack_harness.__main__ import Options, compare, main
from attack_harness.attackers import FAMILIES


async def test_a_small_day_in_process_saves_money_and_serves_everybody_unguarded() -> None:
    card = await compare(Options(3, 120, tuple(FAMILIES), 0.02, http=False, out=Path()))
    users = card["users"]
    assert users["got_code_without"] >= users["total"] * 0.98
    assert 0.6 <= users["verified_without"] / users["total"] <= 0.95
    assert card["summary"]["saved"] > 0.5
    assert card["attacks"].keys() == FAMILIES.keys()
    assert sum(card["refusals_by_rule"].values()) > 0
    assert card["run"]["prices"]["date"]


async def test_the_unguarded_run_is_the_same_over_sockets_as_in_process() -> None:
    def options(*, http: bool) -> Options:
        return Options(5, 25, ("seed_simulator",), 0.05, http=http, out=Path())

    inside, outside = await compare(options(http=False)), await compare(options(http=True))
    assert outside["run"]["mode"] == "http"
    assert (
        outside["attacks"]["seed_simulator"]["without"]["messages"]
        == (inside["attacks"]["seed_simulator"]["without"]["messages"])
    )
    assert outside["users"]["got_code_without"] == inside["users"]["got_code_without"]
    assert outside["users"]["verified_without"] == inside["users"]["verified_without"]


def test_the_command_writes_a_report_and_ends_well(tmp_path: Path) -> None:
    arguments = ["--users", "10", "--quick", "--attack", "seed_simulator", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert (tmp_path / "index.html").stat().st_size > 50_000
