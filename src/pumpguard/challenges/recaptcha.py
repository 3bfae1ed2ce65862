"""Google reCAPTCHA v3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pumpguard.challenges.base import HEADER
from pumpguard.challenges.siteverify import SiteVerify, number
from pumpguard.errors import PolicyError


class ReCaptcha(SiteVerify):
    """reCAPTCHA v3, which asks nobody to do anything; other settings as in `SiteVerify`.

    Its score says how likely a client is a *person* (1.0 is the best): from ``least_score`` on, a
    token is a solution. ``action`` is the one with which your page executes it.

    Source: Google's documentation of v3: threshold 0.5 by default, the action to be verified,
    tokens good for two minutes and once.
    """

    kind = "recaptcha"
    url = "https://www.google.com/recaptcha/api/siteverify"
    carried_in = (HEADER, "g-recaptcha-response")
    longest = 8_192
    lifetime = 120

    def __init__(
        self,
        secret: str,
        *,
        site_key: str,
        hostnames: Sequence[str],
        action: str,
        least_score: float = 0.5,
        **settings: Any,
    ) -> None:
        super().__init__(secret, site_key=site_key, hostnames=hostnames, action=action, **settings)
        if not action:
            raise PolicyError("challenge.action", "the action that your page executes", action)
        if not 0 <= least_score <= 1:
            raise PolicyError("challenge.least_score", "0 to 1", least_score)
        self._least_score = least_score

    def accepts(self, reply: Mapping[str, Any]) -> bool:
        """Whether it is likely a person, doing what the page is for, on one of our pages."""
        score = number(reply, "score")
        return score is not None and score >= self._least_score and super().accepts(reply)
