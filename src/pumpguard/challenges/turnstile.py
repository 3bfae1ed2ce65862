"""Cloudflare Turnstile."""

from __future__ import annotations

from pumpguard.challenges.base import HEADER
from pumpguard.challenges.siteverify import SiteVerify


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
