"""Settings come from the environment, and a simulation stays a simulation."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI

from examples.target_app.app import create_app
from examples.target_app.settings import Settings, SettingsError
from tests.examples.visitor import BRITISH, NOON, Visitor


@pytest.fixture
def live() -> Visitor:
    """A visitor to an app that runs on real time."""
    return Visitor(create_app(Settings(guard=False)), simulated=False)


@pytest.fixture
def fresh_module() -> ModuleType:
    """The app's module, imported anew, so that the module that others use stays as it is."""
    found = importlib.util.find_spec("examples.target_app.app")
    assert found
    assert found.loader
    fresh = importlib.util.module_from_spec(found)
    found.loader.exec_module(fresh)
    return fresh


def test_by_default_the_app_is_guarded_and_runs_on_real_time() -> None:
    assert Settings.from_environment({}) == Settings(
        guard=True, policy_file=None, redis_url=None, simulated=False
    )


def test_every_setting_can_be_given_in_the_environment(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.touch()

    assert Settings.from_environment(
        {
            "TARGET_APP_GUARD": "off",
            "TARGET_APP_POLICY": str(policy),
            "PUMPGUARD_REDIS_URL": "redis://localhost:6379/0",
            "TARGET_APP_SIMULATED_TIME": "1",
            "TARGET_APP_PRICES": "aws-2022",
            "TARGET_APP_LATENCY": "0.15 0.4",
            "TARGET_APP_CONSOLE_TOKEN": "2b7e151628aed2a6abf7158809cf4f3c",
        }
    ) == Settings(
        guard=False,
        policy_file=policy,
        redis_url="redis://localhost:6379/0",
        simulated=True,
        prices="aws-2022",
        latency=(0.15, 0.4),
        console_token="2b7e151628aed2a6abf7158809cf4f3c",
    )


def test_an_empty_variable_counts_as_unset() -> None:
    names = (
        *("TARGET_APP_GUARD", "TARGET_APP_POLICY", "TARGET_APP_PRICES"),
        "TARGET_APP_CONSOLE_TOKEN",
        "PUMPGUARD_REDIS_URL",
    )

    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TARGET_APP_GUARD", "maybe"),
        ("TARGET_APP_SIMULATED_TIME", "2"),
        ("TARGET_APP_POLICY", "/no/such/policy.toml"),
        ("PUMPGUARD_REDIS_URL", "localhost:6379"),
        ("TARGET_APP_LATENCY", "soon"),
        ("TARGET_APP_LATENCY", "0.15"),
    ],
)
def test_a_setting_that_means_nothing_is_named_in_the_error(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})


def test_an_error_does_not_repeat_the_password_in_a_redis_url() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"PUMPGUARD_REDIS_URL": "http://:hunter2@redis"})
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_shares_lie_between_nothing_and_everything(share: float) -> None:
    with pytest.raises(SettingsError, match="loss"):
        Settings(loss=share)


def test_importing_the_module_builds_no_app(fresh_module: ModuleType) -> None:
    assert "app" not in vars(fresh_module)


def test_a_server_finds_the_app_by_its_name(
    fresh_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_APP_GUARD", "off")

    assert isinstance(fresh_module.app, FastAPI)
    assert fresh_module.app is fresh_module.app
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fresh_module.nothing


async def test_apps_share_nothing() -> None:
    one, other = (Visitor(create_app(Settings(guard=False, simulated=True))) for _ in range(2))
    await one.send()

    assert (await one.get("/otp/billing"))["messages_sent"] == 1
    assert (await other.get("/otp/billing"))["messages_sent"] == 0


@pytest.mark.parametrize("header", ["X-Sim-Time", "x-sim-human"])
async def test_outside_a_simulation_its_headers_are_refused(live: Visitor, header: str) -> None:
    reply = await live.send(**{header: "1"})

    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert (await live.get("/otp/billing"))["messages_sent"] == 0


@pytest.mark.parametrize("path", [f"/sim/inbox/{BRITISH}", "/sim/messages"])
async def test_outside_a_simulation_handsets_and_ledger_are_hidden(
    live: Visitor, path: str
) -> None:
    assert (await live.send()).status_code == 202
    assert (await live.call("GET", path)).status_code == 404


@pytest.mark.parametrize("time", ["", "noon", "nan", "inf", "-1", "1e9", "1_000", " 1", "1" * 20])
async def test_a_time_that_is_no_time_is_refused(visitor: Visitor, time: str) -> None:
    reply = await visitor.send(X_Sim_Time=time)

    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"


async def test_two_times_in_one_request_are_refused(visitor: Visitor) -> None:
    twice = [("X-Sim-Time", "1"), ("X-Sim-Time", "2")]
    reply = await visitor._http.get("/otp/billing", headers=twice)

    assert reply.status_code == 400


async def test_a_request_may_tell_fractions_of_a_second(visitor: Visitor) -> None:
    await visitor.send(X_Sim_Time=f"{NOON + 0.25}")

    (line,) = (await visitor.get("/sim/messages"))["messages"]
    assert line["at"] == NOON + 0.25


async def test_the_inbox_of_no_number_is_refused(visitor: Visitor) -> None:
    assert (await visitor.call("GET", "/sim/inbox/nobody")).status_code == 422
