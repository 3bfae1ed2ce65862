"""Tiny cells, really played."""

from __future__ import annotations

from typing import Any

import pytest

from attack_harness.actors import Call, Reply
from attack_harness.benchmark.cells import NO_ATTACK, OPEN, Cell, Setting
from attack_harness.benchmark.day import Day
from attack_harness.benchmark.played import run_cell, run_cells
from attack_harness.benchmark.stage import Later, factory, stage
from examples.target_app.app import create_app

SETTING = Setting(users=25, part=0.02)
OWN = "tests.attack_harness.benchmark.test_played:own_app"


def own_app() -> Any:
    """Somebody's own app: told by the environment that this is a simulation."""
    return create_app()


async def cell(defence: str, family: str = "sequential_block", **changes: Any) -> dict[str, Any]:
    setting = Setting(**{"users": SETTING.users, "part": SETTING.part, **changes})
    return await run_cell(Cell(family, 1, "aws-2022", defence), setting)


async def test_without_a_defence_everything_is_sent_and_everybody_served() -> None:
    found = await cell(OPEN)
    attack = found["attack"]
    assert attack["messages"] == attack["requests"] == attack["before"]["messages"] == 180
    assert attack["before"]["delay_seconds"] is None
    assert attack["profit"] > 0
    assert attack["is_block"]
    assert attack["countries"] == ["AZ"]
    assert found["recovery"]["recovery_minutes"] == 0
    assert found["covered"]["innocent_numbers"] == 0
    assert found["users"]["all"]["unserved"] == []


async def test_pumpguard_stops_a_block_within_a_few_messages() -> None:
    attack = (await cell("pumpguard"))["attack"]
    assert attack["before"]["messages"] <= 10
    assert attack["spend"] < 3
    assert attack["leaves_after_seconds"] is not None


async def test_a_cap_on_a_country_covers_its_innocent() -> None:
    found = await cell("country_cap")
    assert found["attack"]["messages"] < 30
    assert found["covered"]["per_blocked_number"] > 1_000


async def test_a_calm_day_has_users_only() -> None:
    found = await cell(OPEN, NO_ATTACK)
    assert found["attack"] is None
    assert found["users"]["all"]["people"] > 10
    assert found["users"]["during"]["people"] == 0


async def test_on_a_calm_day_something_may_look_like_an_attack() -> None:
    users = (await cell("per_address", "lecture_hall"))["users"]
    assert users["lookalike"]["people"] == 150
    assert len(users["lookalike"]["unserved"]) > 100  # one room, one address, 15 an hour
    assert users["all"]["people"] > 160


async def test_other_prices_are_put_on_the_same_play() -> None:
    cells = [Cell("sequential_block", 1, prices, OPEN) for prices in ("appwrite-2025", "aws-2022")]
    together = await run_cells(cells, SETTING)
    for one, found in zip(cells, together, strict=True):
        alone = await run_cell(one, SETTING)
        for told in (alone, found):
            del told["wall_seconds"]
        assert found == alone
    assert together[0]["attack"]["spend"] != together[1]["attack"]["spend"]


async def test_the_same_cell_is_the_same_every_time() -> None:
    first, second = await cell("fixed_prefix"), await cell("fixed_prefix")
    for found in (first, second):
        del found["wall_seconds"]
    assert first == second


async def test_anybodys_app_can_be_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_APP_GUARD", "off")
    own, open_ = await cell(OWN, app=OWN), await cell(OPEN)
    assert own["attack"]["spend"] == open_["attack"]["spend"]  # told which prices, too


def test_something_that_makes_no_app_is_named() -> None:
    with pytest.raises(TypeError, match="expected a function"):
        factory("attack_harness.clock:DAY")


async def test_held_out_days_have_other_parameters() -> None:
    day = Cell("sequential_block", 1001, "aws-2022", OPEN)
    usual = Day(day, SETTING).parameters
    drawn = Day(day, Setting(users=25, part=0.02, held_out=True)).parameters
    assert usual.keys() == drawn.keys()
    assert usual != drawn


async def test_a_running_server_lives_ahead_of_the_play() -> None:
    heard: list[float] = []

    class Server:
        concurrent = True

        async def call(self, call: Call, at: float) -> Reply:
            heard.append(at)
            return Reply(at, 200, {"messages": [{"at": at, "delivered_at": at + 2.0, "id": 3}]})

    reply = await Later(Server(), 1_000.0).call(Call("GET", "/sim/messages"), 5.0)
    assert heard == [1_005.0]
    assert reply.at == 5.0
    assert reply.json["messages"] == [{"at": 5.0, "delivered_at": 7.0, "id": 3}]


async def test_stages_are_fresh_for_every_cell() -> None:
    for _ in range(2):
        async with stage(Cell("flash", 1, "aws-2022", OPEN), SETTING) as target:
            send = Call("POST", "/otp/send", {"phone": "+447911123456"}, "192.0.2.1")
            assert (await target.call(send, 1_000.0)).sent
            bill = await target.call(Call("GET", "/otp/billing"), 1_000.0)
            assert bill.json["messages_sent"] == 1
