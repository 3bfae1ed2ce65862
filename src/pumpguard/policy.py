"""The policy: everything an operator decides, typed, frozen, and checked when it is made."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, TypeAlias

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.attempt import Attempt, Phone
from pumpguard.config import build, check, join
from pumpguard.errors import PolicyError
from pumpguard.intake.address import check_proxy_header
from pumpguard.intake.fields import check_field
from pumpguard.intake.routes import Routes
from pumpguard.money.prices import PriceTable
from pumpguard.rules import KINDS, FunctionRule, Rule, RuleFunction, SlidingBan
from pumpguard.rules.defaults import default_rules
from pumpguard.store.sharding import too_small

Rules: TypeAlias = tuple[Rule | RuleFunction, ...]
RuleChanges: TypeAlias = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is guarded, how its requests are read, and the chain of rules.

    Lists may be given for tuples. Raises `PolicyError` with the exact path of what is unknown,
    mistyped or contradictory.

    Reading requests:
        ``send``: the guarded route or routes, ``"/otp/send"`` or ``"GET /otp/{phone}/send"``.
        ``phone``, ``code``: where the number and its calling code stand: ``"phone"`` (a field of
        the JSON or form body), or ``json:user.phone``, ``form:…``, ``query:…``, ``path:…``,
        ``header:…``; ``phone`` may also be a function of `pumpguard.intake.fields.Fields`.
        ``region``: where numbers without a calling code are from; without it they are refused.
        ``session``, ``account``, ``device``: where other dimensions stand (also ``cookie:…``).
        ``proxies``: CIDRs whose ``proxy_header`` is believed; nobody's, by default.
        ``max_body`` bytes and ``body_deadline`` seconds bound the reading of a guarded request.

    Judging:
        ``home``: ISO regions where most users live.
        ``rules``: a whole chain, or changes to the default one by rule name, as in a TOML file.
        ``prices``, ``price_overrides``: a packaged list by name, and USD by region.

    Keeping count:
        ``name`` separates policies that share a Redis; ``secret`` keys the hashes stored there.
        ``deadline`` (seconds) bounds a decision. When the store cannot answer in time, a request
        is judged by this process alone against limits divided by ``workers`` (``local``), let
        through (``open``) or refused (``closed``), as ``on_store_failure`` says. ``shards``
        spreads the keys over that many parts of a cluster, by the phone's calling code.
    """

    send: str | Sequence[str]
    phone: Any = "phone"
    code: str | None = None
    region: str | None = None
    session: str | None = None
    account: str | None = None
    device: str | None = None
    proxies: Sequence[str] = ()
    proxy_header: str = "x-forwarded-for"
    max_body: int = 16_384
    body_deadline: float = 5.0
    home: Sequence[str] = ()
    rules: Any = None
    prices: str = "appwrite-2025"
    price_overrides: Mapping[str, float] = field(default_factory=dict)
    name: str = "default"
    secret: str = ""
    deadline: float = 0.05
    on_store_failure: Literal["local", "open", "closed"] = "local"
    workers: int = 1
    shards: int = 1
    chain: Sequence[Rule] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self)
        self._check_intake()
        self._check_values()
        object.__setattr__(self, "chain", _chain(self.rules, self.home))
        if self.shards > 1:
            _check_shards(self.chain, self.shards)

    @classmethod
    def from_toml(cls, source: str | Path) -> Policy:
        """Read a policy from a TOML file, or from TOML text if ``source`` has a line break.

        Raises `PolicyError` for bad TOML as for a bad policy.
        """
        try:
            text = (
                source
                if isinstance(source, str) and "\n" in source
                else Path(source).read_text("utf-8")
            )
            table = tomllib.loads(text)
        except OSError as error:
            raise PolicyError(
                "policy", f"a readable file ({error.strerror})", str(source)
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PolicyError("policy", f"TOML ({error})") from None
        if "send" not in table:
            raise PolicyError("send", "the guarded route, such as '/otp/send'")
        return build(cls, table)

    @property
    def price_table(self) -> PriceTable:
        """The prices with this policy's own in front."""
        return PriceTable.load(self.prices).override(self.price_overrides)

    def _check_intake(self) -> None:
        Routes(self.send)
        if not callable(self.phone):
            check_field(self.phone, "phone")
        for name in ("code", "session", "account", "device"):
            if getattr(self, name) is not None:
                check_field(getattr(self, name), name)
        for i, proxy in enumerate(self.proxies):
            try:
                ip_network(proxy)
            except ValueError:
                raise PolicyError(f"proxies.{i}", "a CIDR such as '10.0.0.0/8'", proxy) from None
        check_proxy_header(self.proxy_header)

    def _check_values(self) -> None:
        if self.region is not None:
            check_region(self.region, "region")
        for i, region in enumerate(self.home):
            check_region(region, f"home.{i}")
        self.price_table  # noqa: B018 - raises for an unknown list or a bad price
        for name, least in (("max_body", 1), ("workers", 1), ("shards", 1)):
            if getattr(self, name) < least:
                raise PolicyError(name, f"at least {least}", getattr(self, name))
        for name in ("body_deadline", "deadline"):
            if not getattr(self, name) > 0:
                raise PolicyError(name, "seconds above 0", getattr(self, name))
        if not self.name or set(self.name) & set("{}"):
            raise PolicyError("name", "a name without braces", self.name)


def check_region(region: str, path: str) -> None:
    """Raise `PolicyError` unless ``region`` is an ISO 3166 code that has telephone numbers."""
    if region not in SUPPORTED_REGIONS:
        raise PolicyError(path, "an ISO 3166 region such as 'GB'", region)


def _chain(rules: object, home: Sequence[str]) -> tuple[Rule, ...]:
    if isinstance(rules, Mapping):
        chain = _changed(default_rules(home), rules)
    elif rules is None:
        chain = default_rules(home)
    elif isinstance(rules, tuple):
        chain = tuple(_as_rule(rule, i) for i, rule in enumerate(rules))
    else:
        raise PolicyError("rules", "a list of rules, or a table of changes by rule name", rules)
    _check_names(chain)
    return tuple(rule for rule in chain if rule.mode != "off")


def _changed(chain: tuple[Rule, ...], changes: RuleChanges) -> tuple[Rule, ...]:
    """The default chain with some rules changed, and new ones, with a ``rule``, at its end."""
    by_name = {rule.name: rule for rule in chain}
    for name, change in changes.items():
        path = f"rules.{name}"
        if not isinstance(change, Mapping):
            raise PolicyError(path, "a table", change)
        settings = {key: value for key, value in change.items() if key != "rule"}
        if "rule" in change:
            kind = KINDS.get(str(change["rule"]))
            if kind is None:
                raise PolicyError(
                    join(path, "rule"), f"one of {', '.join(sorted(KINDS))}", change["rule"]
                )
            by_name[name] = _build_rule(kind, {**settings, "name": name}, path)
        elif name in by_name:
            old = by_name[name]
            kept = {f.name: getattr(old, f.name) for f in fields(old) if f.init}  # type: ignore[arg-type]
            build_check = {**kept, **settings}
            by_name[name] = _build_rule(type(old), build_check, path)
        else:
            known = ", ".join(sorted(by_name))
            raise PolicyError(path, f"one of {known}, or a new rule with 'rule = …'", name)
    return tuple(by_name.values())


def _build_rule(kind: type[Rule], table: Mapping[str, object], path: str) -> Rule:
    try:
        return build(kind, table, path)
    except TypeError as error:  # a required setting is missing
        raise PolicyError(path, f"all required settings ({error})") from None


def _as_rule(rule: object, i: int) -> Rule:
    if isinstance(rule, Rule):
        return rule
    if callable(rule):
        return FunctionRule(rule)
    raise PolicyError(f"rules.{i}", "a rule, or a function of an attempt", rule)


def _check_names(chain: tuple[Rule, ...]) -> None:
    names = [rule.name for rule in chain]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise PolicyError(f"rules.{name}", "a name that no other rule has", name)
    for rule in chain:
        for after in rule.after if isinstance(rule, SlidingBan) else ():
            if after not in names:
                raise PolicyError(
                    f"rules.{rule.name}.after", f"names of rules ({', '.join(names)})", after
                )


def _check_shards(chain: Sequence[Rule], shards: int) -> None:
    """Every shard gets a part of the limits that belong to no destination; none may be zero."""
    for region in sorted(SUPPORTED_REGIONS):
        attempt = Attempt(Phone("+1000000000", region, 1))
        for rule in chain:
            counter = too_small(rule.counters(attempt), shards)
            if counter is not None:
                expected = f"at most the smallest limit by {counter.by} (rule {rule.name!r})"
                raise PolicyError("shards", expected, shards)
