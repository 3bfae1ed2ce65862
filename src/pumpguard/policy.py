"""The policy: everything an operator decides, typed, frozen, and checked when it is made."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pumpguard.config import build, check, check_names, importable, require
from pumpguard.errors import PolicyError
from pumpguard.intake.conditions import SENT_WHEN
from pumpguard.intake.settings import check_intake
from pumpguard.money.prices import NEWEST, PriceTable, beside
from pumpguard.outcomes import OutcomeCounters, Outcomes
from pumpguard.overrides.posture import Escalation
from pumpguard.ranges import check_ranges
from pumpguard.risk import Risk
from pumpguard.rules import Rule
from pumpguard.rules.assembly import assemble, check_shards
from pumpguard.rules.budget import HOURLY_DIVISOR
from pumpguard.rules.defaults import DAILY_BUDGET, default_rules
from pumpguard.rules.hold_out import HoldOut
from pumpguard.rules.uses import for_one_use
from pumpguard.texts import Texts, check_texts

TABLES = {"risk": Risk, "escalation": Escalation, "outcomes": Outcomes, "hold_out": HoldOut}
"""Settings that may be given as tables, as TOML has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is guarded, how its requests are read, and the chain of rules.

    Lists may be given for tuples, and tables (as TOML has them) for ``risk``, ``escalation``,
    ``outcomes`` and ``hold_out``. Raises `PolicyError` with the exact path of what is unknown,
    mistyped or contradictory.

    Reading requests:
        ``send``: the guarded route or routes, ``"/otp/send"`` or ``"GET /otp/{phone}/send"``;
        ``*`` is any one segment, ``**`` at the end is all below.
        ``phone``, ``code``: the fields of the number and its calling code: ``"phone"`` (in the JSON
        or form body), or ``json:user.phone``, ``form:…``, ``query:…``, ``path:…``, ``header:…``;
        ``phone`` may also be a function, plain or ``async``, of `pumpguard.intake.fields.Fields`.
        ``phone_optional``: whether a request without a number sends nothing, and passes untouched.
        ``when``: which requests send a message (``"json:channel == 'sms'"``, ``!=``, or a function
        of the fields); others pass untouched (`pumpguard.intake.conditions`).
        ``region``: where numbers without a calling code are from; without it they are refused.
        ``plain_digits``: whether digits without a ``+`` that are no number there are E.164.
        ``session``, ``account``, ``device``: the fields of other dimensions (also ``cookie:…``).
        ``dimensions``: those of your own by name, each a field or a function of the fields; rules
        may then be kept ``by`` them. ``email_domain`` and ``agent`` are interpreted
        (`pumpguard.intake.dimensions`), values of other names are taken as they are.
        ``proxies``, ``proxy_header``: the CIDRs whose header is believed, and ``unix`` for a proxy
        on a Unix socket; nobody's, by default.
        ``client``: where one of them that asks for a person says who: ``"json:metadata.ip"``.
        ``texts``: what refusals say by language (`pumpguard.texts`); else they say it in English.
        ``max_body``, ``body_deadline``: bytes and seconds that bound the reading of a request.

    Judging:
        ``mode``: ``"monitor"`` judges and records everything and refuses nothing, shadows and what
        cannot be read included: the switch to begin with. A posture that somebody sets still holds.
        ``home``: ISO regions where most users live.
        ``rules``: a table changes the default rules by name, as in a TOML file; a list replaces
        them all.
        ``extra_rules``: rules and functions of an attempt that are added at the end, or where
        `pumpguard.rules.before` and `after` say.
        ``risk``: whether the risk score acts, and how (`pumpguard.risk.Risk`). Without it,
        decisions have a score and nothing follows from it.
        ``escalation``: whether alerts change the posture, and how
        (`pumpguard.overrides.posture.Escalation`). Without it, only people do.
        ``hold_out``: a sliver of what would be refused, let through to measure how many customers
        are among it (`pumpguard.rules.hold_out.HoldOut`). Nothing, by default.

    Money:
        ``daily_budget``: USD that may be spent in 24 hours, with a sixth of it in any hour, in
        which verified dollars count a twentieth, and twenty times it in 30 days. Set it to about
        twice what a busy day costs.
        ``prices``: a packaged list by name, your provider's by its path (``"rates.csv"``), or a
        table of `pumpguard.money.price_list.PriceList`'s settings; relative to the policy's file.
        ``price_overrides``: USD by region, over that.
        ``parts``: of how many parts a message is billed, 1 to 10, or a function of the fields that
        says so; every amount in USD is of whole messages.
        ``verify``, ``verify_phone``: the routes where codes are entered, and the field there of the
        number (by default ``phone``). An answer below 300 verifies it, without which the guard can
        know no customers and learn nothing.
        ``settled``: in place of that, for an app that calls `Guard.verified`.
        ``verified_when``: which answers there mean success (`pumpguard.intake.conditions`).
        ``flow``: the field of the verify request by which the app knows the number, where that is
        not in it: ``"json:flow_id"``, ``"cookie:session"``; read of the request for a message too,
        or of its answer. ``"cookie"`` has the guard set a cookie of its own.
        ``outcomes``: what is remembered of messages and of who verified
        (`pumpguard.outcomes.Outcomes`).
        ``undecided``: what a wrapped sender does that is called under no decision in a process with
        this guard: it sends, the guard decides, or it raises `MessageNotSent`.
        ``sent_when``: which answers of the ``send`` routes say that a message went out: statuses
        (``"2xx"``, ``(200, 202)``) or a function of the status; with ``"sender"`` only the wrapped
        sender's word counts (`pumpguard.intake.conditions`). What was not sent is given back.
        ``refund_share``: the share of an hour's budget that messages which were not sent may give
        back to budgets in an hour.

    Keeping count:
        ``name``, ``secret``: separates policies that share a Redis; keys the hashes stored there.
        ``use``, ``shares``: of several policies with one name (sign-up, login), which one this is.
        Each counts for itself, but for the rules that it shares (``["budget", "shadow_ban"]``);
        overrides and known numbers are common to all.
        ``deadline``: seconds that bound a decision.
        ``on_store_failure``, ``workers``: when the store cannot answer in time, this process judges
        by its share of every limit, one of so many (``local``), lets through or refuses.
        ``shards``: over how many parts of a cluster the keys are spread, by the calling code.
    """

    send: str | Sequence[str]
    phone: Any = "phone"
    code: str | None = None
    phone_optional: bool = False
    when: Any = None
    region: str | None = None
    plain_digits: bool = False
    session: str | None = None
    account: str | None = None
    device: str | None = None
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    proxies: Sequence[str] = ()
    proxy_header: str = "x-forwarded-for"
    client: str | None = None
    max_body: int = 65_536
    body_deadline: float = 5.0
    mode: Literal["enforce", "monitor"] = "enforce"
    home: Sequence[str] = ()
    rules: Any = None
    extra_rules: Any = ()
    risk: Risk | None = None
    escalation: Escalation | None = None
    hold_out: HoldOut | None = None
    verify: str | Sequence[str] | None = None
    verify_phone: Any = None
    verified_when: Any = None
    flow: str | None = None
    settled: bool = False
    outcomes: Outcomes = field(default_factory=Outcomes)
    texts: Texts = field(default_factory=dict)
    sent_when: Any = SENT_WHEN
    undecided: Literal["sent", "decided", "refused"] = "sent"
    daily_budget: float = DAILY_BUDGET
    refund_share: float = 0.05
    prices: str | Mapping[str, Any] = NEWEST
    price_overrides: Mapping[str, float] = field(default_factory=dict)
    parts: Any = 1
    name: str = "default"
    use: str = ""
    shares: Sequence[str] = ()
    secret: str = ""
    deadline: float = 0.05
    on_store_failure: Literal["local", "open", "closed"] = "local"
    workers: int = 1
    shards: int = 1
    chain: Sequence[Rule] = field(init=False, repr=False)
    outcome_counters: OutcomeCounters | None = field(init=False, repr=False)
    price_table: PriceTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, kind in TABLES.items():
            if isinstance(table := getattr(self, name), Mapping):
                self._set(name, build(kind, table, name))
        check(self)
        check_intake(self)
        check_texts(self.texts)
        check_ranges(self)
        each_part = PriceTable.of(self.prices).override(self.price_overrides)
        whole = each_part if callable(self.parts) else each_part.times(self.parts)
        self._set("price_table", whole)
        self._set("chain", self._assembled())
        self._set("outcome_counters", self._counters_of_outcomes())

    @classmethod
    def from_toml(cls, source: str | Path) -> Policy:
        """Read a policy from a TOML file, or from TOML text if ``source`` has a line break.

        Raises `PolicyError` for bad TOML as for a bad policy.
        """
        text = source if isinstance(source, str) and "\n" in source else None
        try:
            table = tomllib.loads(Path(source).read_text("utf-8-sig") if text is None else text)
        except OSError as error:
            expected = f"a readable file ({error.strerror})"
            raise PolicyError("policy", expected, str(source)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PolicyError("policy", f"TOML ({error})") from None
        check_names(cls, table)
        require("send" in table, "send", "the guarded route, such as '/otp/send'")
        if text is not None:
            return build(cls, table)
        folder = Path(source).parent
        with importable(folder):
            return build(cls, beside(folder, table))

    @property
    def verified(self) -> bool:
        """Whether the guard is told of verifications."""
        return self.settled or self.verify is not None

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _assembled(self) -> tuple[Rule, ...]:
        verified, session = self.verified, self.session is not None
        default = default_rules(
            self.home, daily_budget=self.daily_budget, verified=verified, session=session
        )
        chain = assemble(
            self.rules, default, extra=self.extra_rules, verified=verified, own=self.dimensions
        )
        if self.shards > 1:
            check_shards(chain, self.shards)
        return for_one_use(chain, self.use, self.shares)

    def _counters_of_outcomes(self) -> OutcomeCounters | None:
        self.outcomes.check_dimensions(tuple(self.dimensions))
        refunds = self.daily_budget / HOURLY_DIVISOR * self.refund_share
        return OutcomeCounters.needed(
            self.chain, self.outcomes, verified=self.verified, refunds=refunds, use=self.use
        )
