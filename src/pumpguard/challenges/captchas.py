"""CAPTCHA services that people know: Turnstile, reCAPTCHA v3 and hCaptcha."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from pumpguard.challenges.base import HEADER
from pumpguard.challenges.siteverify import SiteVerify
from pumpguard.config import require


class Turnstile(SiteVerify):
    """Cloudflare's challenge; settings as in `SiteVerify`. ``action`` is that of the widget.

    Source: "Validate the token" in Cloudflare's documentation: tokens of at most 2,048 characters,
    good for 300 seconds and once.
    """

    kind = "turnstile"
    url = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    carried_in = (HEADER, "cf-turnstile-response")
    longest = 2_048
    lifetime = 300


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
        self, secret: str, *, action: str, least_score: float = 0.5, **settings: Any
    ) -> None:
        super().__init__(secret, action=action, **settings)
        require(action, "challenge.action", "the action that your page executes", action)
        require(0 <= least_score <= 1, "challenge.least_score", "0 to 1", least_score)
        self._least_score = least_score

    def accepts(self, reply: Mapping[str, Any]) -> bool:
        score = _score(reply)
        return score is not None and score >= self._least_score and super().accepts(reply)


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

    def __init__(self, secret: str, *, most_score: float = inf, **settings: Any) -> None:
        super().__init__(secret, **settings)
        none = "nothing: hCaptcha has no actions"
        require(self._action is None, "challenge.action", none, self._action)
        right = 0 <= most_score <= 1 or most_score == inf
        require(right, "challenge.most_score", "0 to 1", most_score)
        self._most_score = most_score

    def accepts(self, reply: Mapping[str, Any]) -> bool:
        score = 0.0 if self._most_score == inf else _score(reply)
        return score is not None and score <= self._most_score and super().accepts(reply)

    def form(self, token: str) -> dict[str, str]:
        return {**super().form(token), "sitekey": self._site_key}


def _score(reply: Mapping[str, Any]) -> float | None:
    score = reply.get("score")
    return score if isinstance(score, int | float) and not isinstance(score, bool) else None
