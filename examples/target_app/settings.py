"""What an operator can choose, read from the environment once and never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "memory://")
PRICES = "appwrite-2026"
SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


class SettingsError(ValueError):
    """A setting that cannot mean what it says."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one app runs.

    ``console_token`` opens the operator's page under ``/pumpguard``, ``metrics`` those of
    Prometheus at ``/metrics``.
    ``redis_url`` of ``None`` starts an embedded server; ``secret`` signs challenges, and without
    one each process makes its own; ``loss`` is the share of messages that the mobile operator
    loses, ``owner_share`` the part of the price it pays to the number's owner. ``latency`` is how
    long the provider takes: the median in seconds, and the spread of its logarithm; none in
    simulated time.
    """

    guard: bool = True
    policy_file: Path | None = None
    redis_url: str | None = None
    secret: str | None = field(default=None, repr=False)
    console_token: str | None = field(default=None, repr=False)
    metrics: bool = False
    simulated: bool = False
    prices: str = PRICES
    loss: float = 0.02
    owner_share: float = 0.10
    seed: int = 0
    latency: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("loss", "owner_share"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name}: expected 0 ≤ share < 1, got {getattr(self, name)}")
        if self.redis_url is not None and not self.redis_url.startswith(REDIS_SCHEMES):
            # The URL may hold a password, so it is not repeated.
            raise SettingsError(f"PUMPGUARD_REDIS_URL: expected one of {', '.join(REDIS_SCHEMES)}…")
        if self.policy_file is not None and not self.policy_file.is_file():
            raise SettingsError(f"TARGET_APP_POLICY: no such file: {self.policy_file}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the ``TARGET_APP_…`` variables and ``PUMPGUARD_REDIS_URL``; empty means unset."""
        policy = environ.get("TARGET_APP_POLICY")
        return cls(
            guard=_switch(environ, "TARGET_APP_GUARD", default=True),
            policy_file=Path(policy) if policy else None,
            prices=environ.get("TARGET_APP_PRICES") or PRICES,
            redis_url=environ.get("PUMPGUARD_REDIS_URL") or None,
            secret=environ.get("TARGET_APP_SECRET") or None,
            console_token=environ.get("TARGET_APP_CONSOLE_TOKEN") or None,
            metrics=_switch(environ, "TARGET_APP_METRICS", default=False),
            simulated=_switch(environ, "TARGET_APP_SIMULATED_TIME", default=False),
            latency=_latency(environ.get("TARGET_APP_LATENCY", "")),
        )


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "").strip().lower()
    if not value:
        return default
    if value not in SWITCH:
        raise SettingsError(f"{name}: expected on or off, got {value!r}")
    return SWITCH[value]


def _latency(text: str) -> tuple[float, float] | None:
    if not text.strip():
        return None
    try:
        median, spread = map(float, text.split())
    except ValueError:
        raise SettingsError(f"TARGET_APP_LATENCY: expected '0.15 0.4', got {text!r}") from None
    return median, spread
