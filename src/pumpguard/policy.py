"""The policy: everything an operator decides, typed, frozen, and checked when it is made."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.config import build, check
from pumpguard.errors import PolicyError
from pumpguard.intake.address import check_proxy_header
from pumpguard.intake.dimensions import check_dimensions
from pumpguard.intake.fields import check_field
from pumpguard.intake.routes import Routes
from pumpguard.money.prices import FILES, PriceTable
from pumpguard.outcomes.counters import PATH as OUTCOMES
from pumpguard.outcomes.counters import OutcomeCounters, Outcomes
from pumpguard.overrides.posture import PATH as ESCALATION
from pumpguard.overrides.posture import Escalation
from pumpguard.risk import Risk
from pumpguard.rules import Rule
from pumpguard.rules.assembly import assemble, check_shards
from pumpguard.rules.budget import HOURLY_DIVISOR
from pumpguard.rules.defaults import DAILY_BUDGET, default_rules

OUTCOMES_OF_0_1: Mapping[str, Mapping[str, str]] = {
    "settling": {},
    "earned_trust": {"by": "trusts"},
}
"""Two rules of release 0.1 that are the policy's ``outcomes`` now, and renamed settings. They are
understood until 0.3."""


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
        ``dimensions``: those of your own by name, each a field or a function of the fields; rules
        may then be kept ``by`` them. ``email_domain`` and ``agent`` are read as what they say
        (`pumpguard.intake.dimensions`), any other name as it stands.
        ``proxies``: CIDRs whose ``proxy_header`` is believed; nobody's, by default.
        ``max_body`` bytes and ``body_deadline`` seconds bound the reading of a guarded request.

    Judging:
        ``home``: ISO regions where most users live.
        ``rules``: a table changes the default rules by name, as in a TOML file; a list replaces
        them all. ``extra_rules``: rules and functions of an attempt that are added at the end, or
        where `pumpguard.rules.before` and `after` say.
        ``risk``: whether the risk score acts, and how (`pumpguard.risk.Risk`; a ``[risk]`` table
        in TOML). Without it, decisions have a score and nothing follows from it.
        ``shadow``: who answers under a shadow: the app, whose wrapped sender stays silent, or
        ``experimental_replay``, an answer in the shape of its recent ones, which can be told apart
        (`pumpguard.experimental.replay`), for an app that cannot wrap its sender.
        ``escalation``: whether alerts change the posture, and how
        (`pumpguard.overrides.posture.Escalation`; an ``[escalation]`` table in TOML). Without
        it, only people do. ``ladder`` is its old name, kept until 0.3.

    Money:
        ``daily_budget``: USD that may be spent in 24 hours, with a sixth of it in any hour and
        twenty times it in 30 days. Set it to about twice what a busy day costs.
        ``prices``: a packaged list by name, your provider's by its path (``"rates.csv"``), or a
        table of `pumpguard.money.price_list.PriceList`'s settings; relative to the policy's file.
        ``price_overrides``: USD by region, over that.
        ``verify``: the route or routes where codes are entered. An answer below 300 there tells
        the guard that the number of ``verify_phone`` (by default ``phone``) was verified, without
        which it can know no customers and learn nothing. An app that calls `Guard.verified`
        itself says ``settled`` instead.
        ``outcomes``: what is remembered of messages and of who verified
        (`pumpguard.outcomes.Outcomes`; an ``[outcomes]`` table in TOML).
        ``refund_share``: the share of an hour's budget that failed messages may give back an hour.

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
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    proxies: Sequence[str] = ()
    proxy_header: str = "x-forwarded-for"
    max_body: int = 16_384
    body_deadline: float = 5.0
    home: Sequence[str] = ()
    rules: Any = None
    extra_rules: Any = ()
    risk: Risk | None = None
    shadow: Literal["app", "experimental_replay", "replay"] = "app"
    escalation: Escalation | None = None
    ladder: Escalation | None = None
    verify: str | Sequence[str] | None = None
    verify_phone: Any = None
    settled: bool = False
    outcomes: Outcomes = field(default_factory=Outcomes)
    daily_budget: float = DAILY_BUDGET
    refund_share: float = 0.05
    prices: str | Mapping[str, Any] = "appwrite-2025"
    price_overrides: Mapping[str, float] = field(default_factory=dict)
    name: str = "default"
    secret: str = ""
    deadline: float = 0.05
    on_store_failure: Literal["local", "open", "closed"] = "local"
    workers: int = 1
    shards: int = 1
    chain: Sequence[Rule] = field(init=False, repr=False)
    outcome_counters: OutcomeCounters | None = field(init=False, repr=False)
    price_table: PriceTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.risk, Mapping):  # a table
            object.__setattr__(self, "risk", build(Risk, self.risk, "risk"))
        if self.ladder is not None:
            if self.escalation is not None:
                raise PolicyError("ladder", "nothing beside escalation, its new name", self.ladder)
            warnings.warn("ladder= is escalation= now", DeprecationWarning, stacklevel=3)
            object.__setattr__(self, "escalation", self.ladder)
            object.__setattr__(self, "ladder", None)
        if isinstance(self.escalation, Mapping):
            object.__setattr__(self, "escalation", build(Escalation, self.escalation, ESCALATION))
        if isinstance(self.rules, Mapping) and not OUTCOMES_OF_0_1.keys().isdisjoint(self.rules):
            warnings.warn(
                "rules.settling and rules.earned_trust are outcomes now",
                DeprecationWarning,
                stacklevel=3,
            )
            rules, outcomes = _outcomes_of_0_1(self.rules, self.outcomes)
            object.__setattr__(self, "rules", rules)
            object.__setattr__(self, "outcomes", outcomes)
        if isinstance(self.outcomes, Mapping):
            object.__setattr__(self, "outcomes", build(Outcomes, self.outcomes, OUTCOMES))
        check(self)
        if self.shadow == "replay":  # its name until 0.1
            told = "shadow='replay' is called 'experimental_replay' now"
            warnings.warn(told, DeprecationWarning, stacklevel=3)
            object.__setattr__(self, "shadow", "experimental_replay")
        self._check_intake()
        self._check_values()
        default = default_rules(
            self.home,
            daily_budget=self.daily_budget,
            verified=self.verified,
            session=self.session is not None,
        )
        chain = assemble(
            self.rules,
            default,
            extra=self.extra_rules,
            verified=self.verified,
            own=self.dimensions,
        )
        object.__setattr__(self, "chain", chain)
        self.outcomes.check_dimensions(tuple(self.dimensions))
        refunds = self.daily_budget / HOURLY_DIVISOR * self.refund_share
        counters = OutcomeCounters.needed(
            chain, self.outcomes, verified=self.verified, refunds=refunds
        )
        object.__setattr__(self, "outcome_counters", counters)
        if self.shards > 1:
            check_shards(self.chain, self.shards)

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
        if "\n" not in str(source):
            table = _beside(Path(source).parent, table)
        return build(cls, table)

    @property
    def verified(self) -> bool:
        """Whether the guard is told of verifications."""
        return self.settled or self.verify is not None

    def _check_intake(self) -> None:
        Routes(self.send)
        if self.verify is not None:
            Routes(self.verify, "verify")
        if self.verify_phone is not None and not callable(self.verify_phone):
            check_field(self.verify_phone, "verify_phone")
        if not callable(self.phone):
            check_field(self.phone, "phone")
        for name in ("code", "session", "account", "device"):
            if getattr(self, name) is not None:
                check_field(getattr(self, name), name)
        check_dimensions(self.dimensions)
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
        if not 0 < self.daily_budget < 1e7:
            raise PolicyError("daily_budget", "USD above 0", self.daily_budget)
        if not 0 <= self.refund_share <= 1:
            raise PolicyError("refund_share", "a share from 0 to 1", self.refund_share)
        prices = PriceTable.of(self.prices).override(self.price_overrides)
        object.__setattr__(self, "price_table", prices)
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


def _outcomes_of_0_1(rules: Mapping[str, Any], outcomes: Any) -> tuple[dict[str, Any], Any]:
    """The rules without those that are outcomes now, and the outcomes with their settings."""
    moved: dict[str, Any] = {}
    for name, renamed in OUTCOMES_OF_0_1.items():
        for key, value in rules.get(name, {}).items():
            if key != "mode":  # they never refused anybody
                moved[renamed.get(key, key)] = value
    kept = {name: each for name, each in rules.items() if name not in OUTCOMES_OF_0_1}
    given = outcomes if isinstance(outcomes, Mapping) else asdict(outcomes)
    return kept, {**given, **moved}


def _beside(folder: Path, table: dict[str, Any]) -> dict[str, Any]:
    """A price list that a policy's file names stands beside that file."""
    match table.get("prices"):
        case str(path) if path.lower().endswith(FILES):
            return {**table, "prices": str(folder / path)}
        case {"path": str(path), **how}:
            return {**table, "prices": {**how, "path": str(folder / path)}}
    return table
