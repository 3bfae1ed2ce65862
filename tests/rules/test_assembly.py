"""Rules of one's own in a chain: added, placed, named in a file; and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from pumpguard import Attempt, Finding, Guard, Policy, PolicyError, Reading, Rule
from pumpguard.rules import RateLimit, after, before

HERE = __name__


class NightRule(Rule):
    limit: int = 20
    strict: bool

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return None


class Duck:
    """Walks like a rule, and is none."""

    name, mode = "duck", "enforce"

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return None


def no_mondays(attempt: Attempt) -> Finding | None:
    return None


MINE = NightRule(strict=True)


def names(policy: Policy) -> list[str]:
    return [rule.name for rule in policy.chain]


def test_extra_rules_are_added_to_the_default_ones() -> None:
    """At the end, or where they are told to; plain functions as well."""
    plain = names(Policy(send="/s"))
    assert names(Policy(send="/s", extra_rules=[MINE, no_mondays])) == [
        *plain, "night_rule", "no_mondays",
    ]  # fmt: skip
    placed = names(Policy(send="/s", extra_rules=[before("network", MINE)]))
    assert placed.index("night_rule") + 1 == placed.index("network")
    placed = names(Policy(send="/s", extra_rules=[after("network", no_mondays)]))
    assert placed.index("network") + 1 == placed.index("no_mondays")


def test_extra_rules_go_with_changes_and_with_a_chain_of_ones_own() -> None:
    """Beside a rule that is off, too."""
    rules = {"number": {"mode": "off"}}
    policy = Policy(send="/s", rules=rules, extra_rules=[after("number", MINE)])
    assert "number" not in names(policy)
    assert names(policy).index("night_rule") + 1 == names(policy).index("network")
    own = [RateLimit(by="phone", limits="1/day")]
    assert names(Policy(send="/s", rules=own, extra_rules=[MINE])) == ["rate_limit", "night_rule"]


def test_a_ban_may_be_fed_by_an_extra_rule() -> None:
    """Its name is known to the others."""
    rules = {"strike_ban": {"after": ["night_rule"]}}
    assert "night_rule" in names(Policy(send="/s", rules=rules, extra_rules=[MINE]))


def toml(settings: str) -> str:
    return f'send = "/s"\n[rules.night]\n{settings}\n'


def test_a_file_names_a_class_by_module() -> None:
    """With its settings, at the end or beside another rule."""
    text = toml(f'rule = "{HERE}:NightRule"\nstrict = true\nlimit = 5\nbefore = "number"')
    policy = Policy.from_toml(text)
    names_ = names(policy)
    assert names_.index("night") + 1 == names_.index("number")
    assert policy.chain[names_.index("night")] == NightRule(name="night", strict=True, limit=5)


def test_after_is_a_setting_of_bans_and_a_place_for_others() -> None:
    """A ban's is a list of rules."""
    text = 'send = "/s"\n[rules.x]\nrule = "sliding_ban"\nstrikes = "3/hour"\nafter = ["number"]\n'
    ban: Any = Policy.from_toml(text).chain[-1]
    assert (ban.name, ban.after) == ("x", ("number",))
    limit = 'rule = "rate_limit"\nby = "phone"\nlimits = "1/day"\nafter = "number"'
    placed = names(Policy.from_toml(toml(limit)))
    assert placed.index("number") + 1 == placed.index("night")


@pytest.mark.parametrize(
    ("settings", "path", "expected"),
    [
        ('rule = "no_such_module:X"', ".rule", "No module named 'no_such_module'"),
        (f'rule = "{HERE}:NoRule"', ".rule", f"a class of the module {HERE}"),
        (f'rule = "{HERE}:Duck"', ".rule", "a subclass of pumpguard.Rule"),
        (f'rule = "{HERE}:no_mondays"', ".rule", "a subclass of pumpguard.Rule"),
        ('rule = "magic"', ".rule", "or 'module:Class'"),
        (f'rule = "{HERE}:NightRule"', ".strict", "true or false"),
        (f'rule = "{HERE}:NightRule"\nstrict = true\nlimt = 5', ".limt", "did you mean 'limit'"),
        (f'rule = "{HERE}:NightRule"\nstrict = "yes"', ".strict", "true or false"),
        (f'rule = "{HERE}:NightRule"\nstrict = true\nbefore = "magic"', ".before", "number"),
        (
            f'rule = "{HERE}:NightRule"\nstrict = true\nbefore = "number"\nafter = "network"',
            "",
            "not both",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_path(
    settings: str, path: str, expected: str
) -> None:
    """The module, the class, its settings, its place."""
    with pytest.raises(PolicyError) as error:
        Policy.from_toml(toml(settings))
    assert error.value.path == f"rules.night{path}"
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("settings", "path", "expected"),
    [
        ({"rules": {"mine": MINE}}, "rules.mine", "a table of settings; to add a rule object use"),
        ({"rules": MINE}, "rules", "to add a rule use extra_rules="),
        ({"extra_rules": {"x": {}}}, "extra_rules", "to change rules by name use rules="),
        ({"extra_rules": MINE}, "extra_rules", "a list of rules"),
        ({"extra_rules": [NightRule]}, "extra_rules.0", "not its class: NightRule(…)"),
        ({"rules": [NightRule]}, "rules.0", "not its class: NightRule(…)"),
        ({"extra_rules": [Duck()]}, "extra_rules.0", "subclasses pumpguard.Rule"),
        ({"extra_rules": [Duck]}, "extra_rules.0", "subclasses pumpguard.Rule"),
        ({"extra_rules": [before("magic", MINE)]}, "extra_rules.0", "before one of number"),
        ({"extra_rules": [MINE, MINE]}, "rules.night_rule", "a name that no other rule has"),
    ],
)
def test_whoever_confuses_them_is_told(settings: dict[str, Any], path: str, expected: str) -> None:
    """Which of the two does what was meant."""
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", **settings)
    assert error.value.path == path
    assert expected in str(error.value)


def test_a_chain_without_any_of_our_rules_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Who gives a list of one has probably meant to add it."""
    for policy in (
        Policy(send="/s", rules=[MINE]),
        Policy(send="/s", rules=[MINE, RateLimit(by="phone", limits="1/day")]),
        Policy(send="/s", rules=[]),
        Policy(send="/s", extra_rules=[MINE]),
    ):
        with caplog.at_level(logging.WARNING):
            Guard(policy)
    assert caplog.text.count("PG004") == 1
