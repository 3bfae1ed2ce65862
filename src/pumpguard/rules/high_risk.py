"""Destinations that fraud lists agree on."""

from __future__ import annotations

HIGH_RISK = (
    "DZ", "AZ", "BD", "IL",
    "BY", "EG", "ID", "IQ", "IR", "JO", "KG", "KW", "KZ",
    "LK", "MM", "NG", "OM", "PK", "PS", "TJ",
)  # fmt: skip
"""Destinations on at least three of four separately kept high-risk lists: Vonage burst protection,
Authgear's high-risk default, Login.gov's restricted countries, Stytch's refused ones (2026)."""
