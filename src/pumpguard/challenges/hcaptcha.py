"""hCaptcha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from pumpguard.challenges.base import HEADER
from pumpguard.challenges.siteverify import SiteVerify, number
from pumpguard.errors import PolicyError


class HCaptcha(SiteVerify):
    """hCaptcha's challenge; other settings as in `SiteVerify`, but it knows no actions.

    ``most_score`` is for its Enterprise plan, whose score says how much of a *threat* a client is
    (1.0 is the worst): above it, a token is no solution, and neither is one without a score.

    Source: hCaptcha's developer guide ("a score denoting malicious activity"); tokens are good for
    about 120 seconds and once.
    """

    kind = "hcaptcha"
    url = "https://api.hcaptcha.com/siteverify"
    carried_in = (HEADER, "h-captcha-response")
    longest = 8_192
    lifetime = 120

    def __init__(
        self,
        secret: str,
        *,
        site_key: str,
        hostnames: Sequence[str],
        most_score: float = inf,
        **settings: Any,
    ) -> None:
        super().__init__(secret, site_key=site_key, hostnames=hostnames, **settings)
        if self._action is not None:
            raise PolicyError("challenge.action", "nothing: hCaptcha has no actions", self._action)
        if not (0 <= most_score <= 1 or most_score == inf):
            raise PolicyError("challenge.most_score", "0 to 1", most_score)
        self._most_score = most_score

    def accepts(self, reply: Mapping[str, Any]) -> bool:
        """Whether it was solved on one of our pages, by nobody who is held for a threat."""
        score = 0.0 if self._most_score == inf else number(reply, "score")
        return score is not None and score <= self._most_score and super().accepts(reply)

    def form(self, said: str) -> dict[str, str]:
        """What hCaptcha is told: also whose site it should have been."""
        return {**super().form(said), "sitekey": self._site_key}
