"""``pumpguard check``, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from phonenumbers import SUPPORTED_REGIONS

from pumpguard import Guard, Policy
from pumpguard.intake.network import NO_DATA
from pumpguard.money.exposure import exposure
from pumpguard.ops import check as checks
from pumpguard.ops.check import NOTES, concerns
from pumpguard.startup import NO_KEY
from pumpguard.testing import FakeClock
from tests.commands.test_exposure import UNBUDGETED
from tests.commands.test_overrides import Operator
from tests.loopback import Loopback
from tests.ops.test_markets import verify

WHOLE = """
send = "/s"
verify = "/v"
home = ["GB"]
secret = "sixteen letters!"
daily_budget = 600
proxies = ["10.0.0.0/8"]
"""


def operator(folder: Path, policy: str, store: str = "") -> Operator:
    """Somebody with such a policy, and maybe a store."""
    path = folder / "policy.toml"
    path.write_text(policy)
    return Operator(path, store)


def checked(of: Operator, *words: str) -> tuple[int, str, str]:
    """What the command says of it."""
    return of.types("check", of.env["PUMPGUARD_POLICY"], *words)


def codes(policy: Policy, *, has_challenge: bool = True, today: date | None = None) -> set[str]:
    """What is found of a policy by itself."""
    found = concerns(policy, exposure(policy), has_challenge=has_challenge, today=today)
    return {each.code for each in found}


def test_a_whole_policy_over_a_good_store_has_nothing_to_mend(
    tmp_path: Path, valkey_url: str
) -> None:
    """What may be as it should is said all the same, and the bound, and what it was worth."""
    code, out, err = checked(operator(tmp_path, WHOLE, valkey_url), "--challenge")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "Nothing is to be mended." in lines
    notes = [line[:9] for line in lines[: lines.index("Nothing is to be mended.")]]
    assert set(notes) <= {"note: PG0", "note: PG1"}
    assert "note: PG071 verify: none was ever heard" in out  # nor was anybody asked for a code yet
    assert "An attacker can make this policy spend at most $605.00 per hour, $720.00" in out
    assert lines[-1].startswith("Played with ")


def test_the_least_policy_is_told_all(tmp_path: Path) -> None:
    """Everything that is missing, by its code, and the exit code is about what is to be mended."""
    code, out, _ = checked(operator(tmp_path, 'send = "/s"\n'), "--json")
    said = json.loads(out)
    assert code == 2
    assert {each["code"] for each in said["to_mend"]} == {
        checks.NO_VERIFY, checks.NO_HOME, NO_KEY, checks.NOBODYS_BUDGET,
    }  # fmt: skip
    assert {each["code"] for each in said["notes"]} <= NOTES
    assert said["played"]["parts"] == []
    assert 0 <= said["played"]["saved_worst"] < said["played"]["saved"] < 1


def test_the_store_is_looked_at_as_a_guard_would(tmp_path: Path, valkey_url: str) -> None:
    """One that is away is to be mended; what cannot be a store is an error."""
    code, out, _ = checked(operator(tmp_path, WHOLE), "--store", "redis://127.0.0.1:1")
    assert code == 2
    assert out.startswith("mend: PG017 127.0.0.1:1: ")
    code, _, err = checked(operator(tmp_path, WHOLE), "--store", "memory://")
    assert (code, "memory:// is inside one" in err) == (1, True)


def test_a_policy_that_cannot_be_used_ends_with_one(tmp_path: Path) -> None:
    """With the path of what is wrong."""
    code, out, err = checked(operator(tmp_path, f"{WHOLE}homes = 3\n"))
    assert (code, out) == (1, "")
    assert "homes" in err


def test_prices_are_old_after_a_year() -> None:
    """By the list's own date."""
    policy = Policy(send="/s", settled=True, home=["GB"])
    made = date.fromisoformat(policy.price_table.date)
    assert checks.OLD_PRICES not in codes(policy, today=made + timedelta(365))
    assert checks.OLD_PRICES in codes(policy, today=made + timedelta(366))


def test_a_home_country_without_a_price_is_to_be_mended() -> None:
    """Its own people would count at the dearest price known."""
    without = sorted(SUPPORTED_REGIONS - Policy(send="/s").price_table.usd.keys())
    assert checks.NO_PRICE in codes(Policy(send="/s", home=without[:1]))
    priced = Policy(send="/s", home=without[:1], price_overrides={without[0]: 0.1})
    assert checks.NO_PRICE not in codes(priced)


def test_a_policy_that_nothing_bounds_is_to_be_mended() -> None:
    """Such as one whose rules are the operator's own."""
    unbounded = Policy(send="/s", rules={"budget": {"mode": "off"}})
    assert checks.NOT_BOUNDED in codes(unbounded)
    assert checks.NOT_BOUNDED not in codes(Policy(send="/s"))


def test_a_policy_in_monitor_refuses_nothing(tmp_path: Path) -> None:
    """So it is to be mended, has no bound as it is, and no row of the scorecard is about it."""
    whole = operator(tmp_path, f'mode = "monitor"{WHOLE}')
    code, out, _ = checked(whole, "--challenge")
    assert code == 2
    assert out.startswith("mend: PG120 mode: it is monitor: nothing is refused, ")
    assert "Nothing is to be mended" not in out
    assert "NOT BOUNDED at the moment. With mode = 'enforce' an attacker can make this" in out
    assert "Played with" not in out
    assert "not known: only those that enforce the whole default chain were played." in out
    said = json.loads(checked(whole, "--json")[1])
    assert [each["code"] for each in said["to_mend"]] == ["PG120"]
    assert said["played"] is None


@pytest.mark.parametrize("rule", ["credit", "prefix_pattern", "budget"])
def test_a_rule_that_is_not_enforced_is_named(tmp_path: Path, rule: str) -> None:
    """And no row of the scorecard is about such a policy."""
    code, out, _ = checked(operator(tmp_path, f'{WHOLE}[rules.{rule}]\nmode = "monitor"\n'))
    assert code == (2 if rule == "budget" else 0)
    assert f"note: PG152 rules: {rule}: not enforced" in out
    assert "Played with" not in out


def test_of_many_rules_that_are_not_enforced_some_are_named() -> None:
    """Such as where a policy has only rules of its own."""
    policy = Policy(send="/s", rules=[])
    found = concerns(policy, exposure(policy), has_challenge=True)
    (what,) = [each.what for each in found if each.code == checks.NOT_ENFORCED]
    assert what.startswith("number, network, geo_mismatch, phone_limit, network_limit and ")


@pytest.mark.parametrize("has_challenge", [True, False])
def test_a_missing_challenge_is_a_note(has_challenge: bool) -> None:
    """The app passes it, and no file says so."""
    found = codes(Policy(send="/s"), has_challenge=has_challenge)
    assert (checks.NO_CHALLENGE in found) is not has_challenge


class App(Loopback):
    """An app whose document is where Litestar has it."""

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        """Its document, or something else."""
        if head.startswith("GET /schema/openapi.json "):
            return json.dumps(DOCUMENT).encode()
        return b'{"detail": "Not Found"}'


DOCUMENT = {"openapi": "3.1.0", "paths": {"/otp/send": {"post": {}}}}


async def test_routes_are_held_against_the_running_app(tmp_path: Path) -> None:
    """By the app's URL, or a file of its document."""
    with_policy = operator(tmp_path, WHOLE)
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    async with App() as app:
        for where in (app.origin, f"{app.origin}/schema/openapi.json", tmp_path / "openapi.json"):
            code, out, _ = await asyncio.to_thread(checked, with_policy, "--openapi", str(where))
            assert (code, out.count("mend: PG149")) == (2, 2)


async def test_an_app_without_a_document_is_an_error(tmp_path: Path) -> None:
    """With where it was looked for."""
    with_policy = operator(tmp_path, WHOLE)
    async with App() as app:
        wrong = f"{app.origin}/docs"
        code, _, err = await asyncio.to_thread(checked, with_policy, "--openapi", wrong)
    assert (code, "nor at /openapi.json, /schema/openapi.json" in err) == (1, True)
    for where in (str(tmp_path / "missing.json"), str(with_policy.env["PUMPGUARD_POLICY"])):
        code, _, err = checked(with_policy, "--openapi", where)
        assert (code, err.startswith(where)) == (1, True)


def test_a_policy_without_a_bound_is_told_no_sum(tmp_path: Path) -> None:
    """It is the first thing to mend."""
    code, out, _ = checked(operator(tmp_path, f'send = "/s"\n{UNBUDGETED}'))
    assert code == 2
    assert "can make this policy spend at most" not in out


def test_a_market_is_shown(tmp_path: Path, valkey_url: str, name: str) -> None:
    """A country that is not home, and whose users verify: whoever stays should be listed."""
    settings = "settled = true\ndaily_budget = 600\nprice_overrides = { PL = 0.3 }\n"
    of = operator(tmp_path, f'send = "/s"\nhome = ["GB"]\nname = "{name}"\n{settings}', valkey_url)

    async def a_day() -> None:
        clock = FakeClock(time.time() - 20_000)
        async with Guard(of.env["PUMPGUARD_POLICY"], valkey_url, clock=clock) as guard:
            await verify(guard, clock, "+48512{:03}781", 150)

    asyncio.run(a_day())
    out = checked(of)[1]
    assert "market: PL: $" in out
    assert "PG071" not in out
    assert out.partition("market: ")[2].partition("\n")[0].endswith("to stay, list it in home")


def test_without_address_data_two_rules_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert NO_DATA in codes(Policy(send="/s"))


def test_what_is_set_at_run_time_is_told(tmp_path: Path, valkey_url: str, name: str) -> None:
    """A posture that stands, for all or a country; and what leaves the spending without a bound."""
    of = operator(tmp_path, f'{WHOLE}name = "{name}"\n', valkey_url)
    of.types("posture", "challenge_all", "--country", "FR")
    code, out, _ = checked(of, "--challenge")
    assert (code, "note: PG154 posture: challenge_all for FR; " in out) == (0, True)
    of.types("posture", "closed")
    code, out, _ = checked(of, "--challenge")
    assert (code, "note: PG154 posture: closed for all; " in out) == (0, True)
    assert "for FR" not in out
    of.types("posture", "observe")
    code, out, _ = checked(of, "--challenge")
    assert (code, "mend: PG153 overrides: The posture is observe" in out) == (2, True)
    assert "NOT BOUNDED at the moment. Once that ends an attacker can make" in out
    of.types("posture", "normal")
    assert "expected" not in checked(of, "--challenge")[1]
    of.types("expect", "--country", "FR", "--times", "10", "--for", "1h")
    out = checked(of, "--challenge")[1]
    said = next(line for line in of.types("expect")[1].splitlines() if "Meanwhile" in line)
    assert f"More than usual is expected. {said}" in out
