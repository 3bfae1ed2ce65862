"""What an operator should mend about a policy, beside its store: coded, as the log's lines are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.util import find_spec

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.intake.network import NO_DATA
from pumpguard.money.exposure import Exposure
from pumpguard.money.prices import OLD
from pumpguard.observations.hearing import NOTHING_HEARD
from pumpguard.ops.openapi import UNGUARDED
from pumpguard.ops.played import not_enforced
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.posture import Posture
from pumpguard.policy import Policy
from pumpguard.rules.defaults import DAILY_BUDGET
from pumpguard.startup import MONITORS, NO_KEY
from pumpguard.store.health import Concern

NO_VERIFY, NO_HOME, NO_CHALLENGE, NO_PROXIES = "PG140", "PG141", "PG142", "PG143"
OLD_PRICES, NO_PRICE, SOME_PRICES = "PG144", "PG145", "PG146"
NOBODYS_BUDGET, NOT_BOUNDED, NOT_ENFORCED = "PG147", "PG148", "PG152"
LIFTED, STRICTER = "PG153", "PG154"

NOTES = frozenset(
    {
        NOTHING_HEARD,
        NO_CHALLENGE,
        NO_PROXIES,
        OLD_PRICES,
        SOME_PRICES,
        UNGUARDED,
        NOT_ENFORCED,
        STRICTER,
    }
)
"""What may be as it should; all else is to be mended."""

SHOWN = 5
"""Rules that are named."""


def concerns(
    policy: Policy, found: Exposure, *, has_challenge: bool, today: date | None = None
) -> tuple[Concern, ...]:
    """All that can be known of a policy by itself; ``found`` is its exposure."""
    today = today or datetime.now(UTC).date()
    parts = _parts(policy, has_challenge=has_challenge)
    return (*_modes(policy), *parts, *_money(policy, found, today))


def standing(document: OverrideDocument, now: float) -> Iterator[Concern]:
    """What people, or escalation, have set at run time, as at ``now`` (Unix seconds)."""
    for reason in document.unbounded_because(now):
        yield Concern(LIFTED, "overrides", reason.removesuffix("."))
    fleet = document.fleet(now)
    places = {"all": fleet, **{place: document.posture(place, now) for place in document.postures}}
    for place, posture in sorted(places.items()):
        if posture > Posture.NORMAL and (place == "all" or posture is not fleet):
            yield Concern(STRICTER, "posture", f"{posture} for {place}; see pumpguard posture")


def nothing_heard() -> Concern:
    """That the store knows of no verification."""
    what = "none was ever heard, so the rules that need verifications only monitor until the first"
    return Concern(NOTHING_HEARD, "verify", what)


def _modes(policy: Policy) -> Iterator[Concern]:
    if policy.mode == "monitor":
        what = (
            "it is monitor: nothing is refused, and nothing bounds what is spent; take it out when "
        )
        yield Concern(MONITORS, "mode", f"{what}you have seen enough")
    if idle := not_enforced(policy):
        more = f" and {len(idle) - SHOWN} more" if len(idle) > SHOWN else ""
        what = f"{', '.join(idle[:SHOWN])}{more}: not enforced; they refuse nothing and ask nobody"
        yield Concern(NOT_ENFORCED, "rules", what)


def _parts(policy: Policy, *, has_challenge: bool) -> Iterator[Concern]:
    if not policy.verified:
        what = "nobody tells the guard who enters codes, so it cannot know real users, and has no "
        yield Concern(NO_VERIFY, "verify", f"{what}lines of credit; name the route of codes")
    if not policy.home:
        what = "every country is a foreign one, with tight limits; list all that carry real traffic"
        yield Concern(NO_HOME, "home", what)
    if not has_challenge:
        what = "whom rules would ask for proof passes, within wider limits; --challenge if the app "
        yield Concern(NO_CHALLENGE, "challenge", f"{what}passes one to the middleware")
    if not policy.proxies:
        what = "every client behind a proxy or load balancer looks like it; right if there is none"
        yield Concern(NO_PROXIES, "proxies", what)
    if not policy.secret:
        what = "whoever reads the store can find out the numbers in it; set 16 bytes or more"
        yield Concern(NO_KEY, "secret", what)
    if find_spec("iptocc") is None or find_spec("iporigin") is None:
        what = "no address data: geo_mismatch and network find nothing, unless networks= is passed"
        yield Concern(NO_DATA, "networks", f"{what}; pip install 'pumpguard[geo]'")


def _money(policy: Policy, found: Exposure, today: date) -> Iterator[Concern]:
    prices = policy.price_table
    if not found.bounded:
        what = "nothing bounds what an attacker can spend; see pumpguard exposure"
        yield Concern(NOT_BOUNDED, "rules", what)
    if policy.daily_budget == DAILY_BUDGET:
        what = f"${DAILY_BUDGET:g} is the default, and nobody's: set twice what a busy day costs"
        yield Concern(NOBODYS_BUDGET, "daily_budget", what)
    if (age := prices.age(today) or 0) > OLD:
        what = f"{prices.name} is {age} days old, and dollars are counted by it; read in your "
        yield Concern(OLD_PRICES, "prices", f"{what}provider's list (prices = 'rates.csv')")
    without = SUPPORTED_REGIONS - prices.usd.keys()
    if at_home := sorted(without & set(policy.home)):
        what = f"{', '.join(at_home)}: no price, so the dearest counts, ${prices.unknown:.2f}"
        yield Concern(NO_PRICE, "home", f"{what}; say it (price_overrides)")
    if without:
        what = f"{len(without)} of {len(SUPPORTED_REGIONS)} countries have no price in any list, "
        yield Concern(SOME_PRICES, "prices", f"{what}so the dearest counts for them")
