"""What the plain settings of a policy may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.config import require

if TYPE_CHECKING:
    from pumpguard.policy import Policy

LONGEST = {"body_deadline": 600, "deadline": 30}
"""Seconds."""

SHORTEST_SECRET = 16
"""Bytes: with less, whoever sees the hashes can guess what they were made with."""

REGION = "an ISO 3166 region such as 'GB'"


def check_ranges(policy: Policy) -> None:
    """Raise `PolicyError` for a value outside of what makes sense."""
    if policy.region is not None:
        require(policy.region in SUPPORTED_REGIONS, "region", REGION, policy.region)
    for i, region in enumerate(policy.home):
        require(region in SUPPORTED_REGIONS, f"home.{i}", REGION, region)
    expected = "USD above 0, below 10,000,000"
    require(0 < policy.daily_budget < 1e7, "daily_budget", expected, policy.daily_budget)
    share = policy.refund_share
    require(0 <= share <= 1, "refund_share", "a share from 0 to 1", share)
    for name in ("max_body", "workers", "shards"):
        require(getattr(policy, name) >= 1, name, "at least 1", getattr(policy, name))
    for name, longest in LONGEST.items():
        expected = f"seconds (not ms) above 0, at most {longest}"
        require(0 < getattr(policy, name) <= longest, name, expected, getattr(policy, name))
    braces = set(policy.name) & set("{}")
    require(policy.name and not braces, "name", "a name without braces", policy.name)
    length = len(policy.secret.encode(errors="replace"))
    expected = f"{SHORTEST_SECRET} bytes or more, as secrets.token_hex() makes them, or none"
    require(not 0 < length < SHORTEST_SECRET, "secret", expected, length)
