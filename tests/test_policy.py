"""The policy: typed, frozen, and exact about what is wrong with it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Finding, Policy, PolicyError
from pumpguard.attempt import Attempt
from pumpguard.rules import GeoMismatch, RateLimit, SlidingBan
from pumpguard.rules.base import HIGH_RISK

TOML = """
send = ["/otp/send", "GET /otp/{phone}/resend"]
phone = "json:user.phone"
home = ["GB", "IE"]
proxies = ["10.0.0.0/8"]
price_overrides = {GB = 0.04}

[rules.phone_limit]
limits = "1/minute; 4/day"

[rules.geo_mismatch]
mode = "monitor"

[rules.country_spread]
mode = "off"

[rules.per_account]
rule = "rate_limit"
by = ["account", "country"]
limits = "5/hour"
action = "challenge"
"""


def names(policy: Policy) -> list[str]:
    return [rule.name for rule in policy.chain]


def test_two_words_make_a_policy() -> None:
    """A route is all it needs; the default chain is on."""
    policy = Policy(send="/otp/send", home=["GB", "IE"])
    assert policy.home == ("GB", "IE")
    assert len(policy.chain) >= 12
    assert {"phone_limit", "prefix_pattern", "shadow_ban", "geo_mismatch"} <= set(names(policy))


def test_a_policy_cannot_change_under_a_guard() -> None:
    """It is frozen, and so are the lists in it."""
    home = ["GB"]
    policy = Policy(send="/otp/send", home=home)
    home.append("KP")
    assert policy.home == ("GB",)
    with pytest.raises(FrozenInstanceError):
        policy.home = ()  # type: ignore[misc]


def test_a_file_says_the_same_as_python() -> None:
    """TOML changes rules of the default chain by name and adds others at its end."""
    policy = Policy.from_toml(TOML)
    by_name: dict[str, Any] = {rule.name: rule for rule in policy.chain}
    assert by_name["phone_limit"].limits == "1/minute; 4/day"
    assert by_name["phone_limit"].by == "phone"
    assert by_name["geo_mismatch"].mode == "monitor"
    assert "country_spread" not in by_name
    assert names(policy)[-1] == "per_account"
    assert by_name["per_account"].by == ("account", "country")
    assert policy.price_table.price("GB") == 0.04


def test_routes_that_only_overlap_are_no_mistake() -> None:
    """Another method or one segment more is another route."""
    Policy(send=["/s", "GET /s", "POST /s", "/s/{phone}", "/s/x"], proxy_header="CF-Connecting-IP")


def test_a_policy_is_read_from_a_path(tmp_path: Path) -> None:
    """As text or as a path."""
    file = tmp_path / "policy.toml"
    file.write_text(TOML)
    assert names(Policy.from_toml(file)) == names(Policy.from_toml(str(file)))


def test_a_chain_of_ones_own_replaces_the_default() -> None:
    """Rules, and plain functions of an attempt."""

    def never_on_mondays(attempt: Attempt) -> Finding | None:
        return None

    policy = Policy(send="/s", rules=[RateLimit(by="phone", limits="1/day"), never_on_mondays])
    assert names(policy) == ["rate_limit", "never_on_mondays"]


def test_the_high_risk_list_leaves_home_alone() -> None:
    """A company from Israel is not capped in Israel."""
    policy = Policy(send="/s", home=["IL"])
    limit: Any = next(rule for rule in policy.chain if rule.name == "country_limit")
    assert set(limit.regions) == set(HIGH_RISK) - {"IL"}


@pytest.mark.parametrize(
    ("settings", "path", "expected"),
    [
        ({"send": "otp/send"}, "send", "a route such as"),
        ({"send": ()}, "send", "at least one route"),
        ({"send": 5}, "send", "text or a list of text"),
        ({"send": ["/s", "/t", "/s"]}, "send.2", "a route that stands there once"),
        ({"send": ["/{a}/s", "/{b}/S/"]}, "send.1", "a route that stands there once"),
        ({"send": ["GET,POST /s", "POST,GET /s"]}, "send.1", "a route that stands there once"),
        ({"send": "/s", "proxy_header": ""}, "proxy_header", "a header's name"),
        ({"send": "/s", "proxy_header": "x forwarded"}, "proxy_header", "a header's name"),
        ({"send": "/s", "proxy_header": "x-real-ip:"}, "proxy_header", "a header's name"),
        ({"send": "/s", "proxy_header": "x-\N{KELVIN SIGN}"}, "proxy_header", "a header's name"),
        ({"send": "/s", "proxy_header": "Forwarded"}, "proxy_header", "a list of addresses"),
        ({"send": "/s", "home": ["UK"]}, "home.0", "an ISO 3166 region"),
        ({"send": "/s", "home": "GB"}, "home", "a list of text"),
        ({"send": "/s", "region": "XX"}, "region", "an ISO 3166 region"),
        ({"send": "/s", "proxies": ["everybody"]}, "proxies.0", "a CIDR"),
        ({"send": "/s", "proxies": ["10.0.0.0/8", "10.0.0.1/8"]}, "proxies.1", "a CIDR"),
        ({"send": "/s", "phone": "cookiejar:x"}, "phone", "a field"),
        ({"send": "/s", "phone": " "}, "phone", "a field"),
        ({"send": "/s", "session": "json:"}, "session", "a field"),
        ({"send": "/s", "deadline": 0}, "deadline", "seconds (not ms) above 0, at most 30"),
        ({"send": "/s", "deadline": "fast"}, "deadline", "a number"),
        ({"send": "/s", "daily_budget": 1e7}, "daily_budget", "above 0, below 10,000,000"),
        (
            {"send": "/s", "hold_out": {"share": 1, "day": 1e6}},
            "hold_out.day",
            "above 0, below 1,000,000",
        ),
        ({"send": "/s", "hold_out": {"day": 1, "share": 0}}, "hold_out.share", "above 0, up to 1"),
        ({"send": "/s", "workers": 0}, "workers", "at least 1"),
        ({"send": "/s", "workers": True}, "workers", "a whole number"),
        ({"send": "/s", "max_body": -1}, "max_body", "at least 1"),
        ({"send": "/s", "name": "a{b}"}, "name", "without braces"),
        ({"send": "/s", "on_store_failure": "pray"}, "on_store_failure", "one of 'local'"),
        (
            {"send": "/s", "prices": "ebay"},
            "prices",
            "one of alibaba-2025, appwrite-2025, appwrite-2026, aws-2022, or a .csv",
        ),
        ({"send": "/s", "price_overrides": {"GB": 0}}, "price_overrides.GB", "above 0"),
        ({"send": "/s", "price_overrides": {"GB": "dear"}}, "price_overrides", "a number"),
        ({"send": "/s", "outcomes": {"remembers": ["shoe"]}}, "outcomes.remembers.0", "one of"),
        ({"send": "/s", "outcomes": {"trusts": ["asn", "asn+x"]}}, "outcomes.trusts.1", "one of"),
        ({"send": "/s", "rules": 5}, "rules", "a list of rules"),
        ({"send": "/s", "rules": [5]}, "rules.0", "a rule, or a function"),
        ({"send": "/s", "rules": {"settling": 5}}, "rules.settling", "a table of settings"),
        ({"send": "/s", "rules": {"phone_limt": {}}}, "rules.phone_limt", "phone_limit"),
        ({"send": "/s", "rules": {"phone_limit": 3}}, "rules.phone_limit", "a table"),
        ({"send": "/s", "rules": {"x": {"rule": "magic"}}}, "rules.x.rule", "rate_limit"),
        ({"send": "/s", "rules": {"x": {"rule": "country_spread"}}}, "rules.x.rule", "'spread'?"),
        ({"send": "/s", "rules": {"x": {"rule": "rate_limit"}}}, "rules.x.by", "text"),
        (
            {"send": "/s", "rules": {"phone_limit": {"limit": "1/day"}}},
            "rules.phone_limit.limit",
            "did you mean 'limits'",
        ),
        (
            {"send": "/s", "rules": {"phone_limit": {"limits": "1/fortnight"}}},
            "rules.phone_limit.limits",
            "limits such as",
        ),
        (
            {"send": "/s", "rules": {"budget": {"alert": 0}}},
            "rules.budget.alert",
            "a share above 0, up to 1",
        ),
        (
            {"send": "/s", "rules": {"burst_ban": {"jitter": 1}}},
            "rules.burst_ban.jitter",
            "0 or more, below 1",
        ),
    ],
)
def test_mistakes_are_named_exactly(settings: dict[str, Any], path: str, expected: str) -> None:
    """Where it is, and what would have been right."""
    with pytest.raises(PolicyError) as error:
        Policy(**settings)
    assert error.value.path == path
    assert expected in str(error.value)


@pytest.mark.parametrize("secret", ["abc", "fifteen letters", "ä" * 7])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    """Sixteen bytes are enough, none at all is a choice; the message does not repeat it."""
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", secret=secret)
    wanted = "16 bytes or more, as secrets.token_hex() makes them, or none"
    assert str(error.value) == f"secret: expected {wanted}, got {len(secret.encode())}"
    assert [Policy(send="/s", secret=long).secret for long in ("ä" * 8, "")] == ["ä" * 8, ""]


def test_two_rules_of_one_name_are_a_mistake() -> None:
    """Names are how findings, bans and files speak of rules."""
    with pytest.raises(PolicyError, match=r"rules\.geo_mismatch"):
        Policy(send="/s", rules=[GeoMismatch(), GeoMismatch()])


def test_a_ban_after_nothing_is_a_mistake() -> None:
    """A ban that names a rule that is not there would never begin."""
    with pytest.raises(PolicyError, match=r"rules\.sliding_ban\.after"):
        Policy(send="/s", rules=[SlidingBan(strikes="3/hour", after=["phone_limit"])])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("home = ['GB']\n", "send"),
        ("snd = '/s'\n", "snd"),
        ("send = '/s'\nhomes = ['GB']\n", "homes"),
        ("send = '/s'\nsend = '/t'\n", "policy"),
        ("send = \n", "policy"),
        ("send = '/s'\n[rules.number]\nregions = ['GB']\n", "rules.number.regions"),
    ],
)
def test_bad_files_are_named_exactly(text: str, path: str) -> None:
    """Unknown keys, duplicate keys, broken TOML."""
    with pytest.raises(PolicyError) as error:
        Policy.from_toml(text)
    assert error.value.path == path
    assert ("did you mean 'send'?" in str(error.value)) is (path == "snd")


def test_a_missing_file_is_a_policy_error(tmp_path: Path) -> None:
    """Not a traceback about paths."""
    with pytest.raises(PolicyError, match="No such file"):
        Policy.from_toml(tmp_path / "none.toml")


OTHERS = ("phone",)  # whatever is a function
FIELDS = [field.name for field in fields(Policy) if field.init and field.name not in OTHERS]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.binary(max_size=4),
)


@given(field=st.sampled_from(FIELDS), junk=JUNK)
def test_junk_is_refused_with_a_path_or_is_no_junk(field: str, junk: Any) -> None:
    """Whatever is put anywhere: a policy, or a PolicyError, and nothing else."""
    try:
        policy = Policy(**{"send": "/s", field: junk})
    except PolicyError as error:
        assert error.path.split(".")[0] == field  # noqa: PT017
    else:
        assert policy.chain is not None


@given(
    rule=st.sampled_from(names(Policy(send="/s", home=["GB"]))),
    setting=st.sampled_from(
        ["limits", "by", "mode", "action", "weight", "strikes", "blocks", "after", "x"]
    ),
    junk=JUNK,
)
def test_junk_in_a_rule_is_refused_with_a_path(rule: str, setting: str, junk: Any) -> None:
    """The same for every setting of every rule."""
    try:
        Policy(send="/s", home=["GB"], rules={rule: {setting: junk}})
    except PolicyError as error:
        assert error.path.startswith(f"rules.{rule}")  # noqa: PT017


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """As editors on Windows write it."""
    path = tmp_path / "policy.toml"
    path.write_text(TOML, encoding="utf-8-sig")
    assert Policy.from_toml(path).home == Policy.from_toml(TOML).home
