"""``pumpguard expect``, as an operator types it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.commands.test_overrides import Operator


@pytest.fixture
def operator(tmp_path: Path, name: str, valkey_url: str) -> Operator:
    """Somebody with a policy of $600 a day."""
    path = tmp_path / "policy.toml"
    path.write_text(
        f'send = "/s"\nverify = "/v"\nhome = ["DE"]\nname = "{name}"\ndaily_budget = 600\n'
    )
    return Operator(path, valkey_url)


def test_who_announces_a_launch_is_told_what_it_may_cost(operator: Operator) -> None:
    """And so is who looks."""
    assert operator.types("expect")[1] == "Nothing is expected beyond what is usual.\n"
    words = ("expect", "--country", "de", "--times", "10", "--for", "2h", "--author", "mike")
    code, out, err = operator.types(*words, "--reason", "on television")
    assert (code, err) == (0, "")
    assert out == operator.types("expect")[1]
    first, second, third = out.splitlines()
    assert first.startswith("DE: 10 times as much as usual, by mike at 20")
    assert first.endswith(" UTC: on television")
    assert second.startswith("Meanwhile an attacker can cost at most $605.00 per hour, $720.00")
    assert second.endswith("; $605.00 per hour without any code.")
    assert third.startswith("Otherwise: $605.00 per hour, $720.00 per day; $105.00 per hour")
    said = json.loads(operator.types("expect", "--json")[1])["expectations"]["DE"]
    assert said["until"] - said["at"] == 7_200


def test_the_exposure_of_a_policy_in_use_says_it_too(operator: Operator) -> None:
    """With the store it is asked for in words and in JSON."""
    policy, store = operator.env["PUMPGUARD_POLICY"], operator.env["PUMPGUARD_REDIS_URL"]
    operator.types("expect", "--times", "2", "--for", "1h")
    code, out, _ = operator.types("exposure", policy, "--store", store)
    assert code == 0
    assert out.startswith("More than usual is expected. Meanwhile an attacker can cost")
    said = json.loads(operator.types("exposure", policy, "--store", store, "--json")[1])
    assert said["expected"]["times"] == {"": 2.0}
    assert said["expected"]["unverified"]["hour"] > said["unverified"]["hour"]
    operator.types("expect", "--times", "1")
    assert operator.types("exposure", policy, "--store", store)[1].startswith("An attacker can")


def test_what_makes_no_sense_is_refused(operator: Operator) -> None:
    """Such as a launch without an end."""
    code, out, err = operator.types("expect", "--times", "2")
    assert (code, out) == (1, "")
    assert "seconds: expected an end" in err


def test_it_ends_by_itself(operator: Operator) -> None:
    """Nobody has to say so."""
    operator.types("expect", "--times", "2", "--for", "1s")
    said = "?"
    for _ in range(600):
        said = operator.types("expect")[1]
        if said == "Nothing is expected beyond what is usual.\n":
            break
        time.sleep(0.1)
    assert said == "Nothing is expected beyond what is usual.\n"
