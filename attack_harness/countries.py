"""Where the app's users live: weights and clocks, simplified but of the right order."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A country's share of its group, and how far its clocks are ahead of UTC, in hours."""

    weight: float
    ahead: float


HOME_SHARE = 0.8
"""The rest of the users live in ``ABROAD``."""

HOME: dict[str, Country] = {
    "GB": Country(28, 0),
    "US": Country(24, -6),
    "DE": Country(20, 1),
    "FR": Country(18, 1),
    "IE": Country(10, 0),
}

# Roughly by the number of people online, flattened so that small countries appear at all. The
# countries that fraudsters rent numbers in are among them: real people live there too.
ABROAD: dict[str, Country] = {
    "IN": Country(9, 5.5),
    "BR": Country(6, -3),
    "ID": Country(6, 7),
    "NG": Country(5, 1),
    "BD": Country(5, 6),
    "MX": Country(5, -6),
    "PK": Country(5, 5),
    "PH": Country(4, 8),
    "JP": Country(4, 9),
    "EG": Country(4, 2),
    "VN": Country(4, 7),
    "TR": Country(4, 3),
    "IT": Country(4, 1),
    "ES": Country(4, 1),
    "PL": Country(4, 1),
    "UA": Country(3, 2),
    "KE": Country(3, 3),
    "ZA": Country(3, 2),
    "DZ": Country(3, 1),
    "MM": Country(3, 6.5),
    "AZ": Country(3, 4),
    "CO": Country(3, -5),
    "AR": Country(3, -3),
    "CA": Country(3, -5),
    "AU": Country(3, 10),
    "NL": Country(3, 1),
    "MA": Country(2, 1),
    "IQ": Country(2, 3),
    "SA": Country(2, 3),
    "AE": Country(2, 4),
    "UZ": Country(2, 5),
    "KZ": Country(2, 5),
    "LK": Country(2, 5.5),
    "NP": Country(2, 5.75),
    "MY": Country(2, 8),
    "TH": Country(2, 7),
    "KR": Country(2, 9),
    "SG": Country(2, 8),
    "HK": Country(2, 8),
    "GH": Country(2, 0),
    "ET": Country(2, 3),
    "TZ": Country(2, 3),
    "UG": Country(2, 3),
    "CL": Country(2, -4),
    "PE": Country(2, -5),
    "EC": Country(2, -5),
    "RO": Country(2, 2),
    "BE": Country(2, 1),
    "AT": Country(2, 1),
    "CH": Country(2, 1),
    "SE": Country(2, 1),
    "PT": Country(2, 0),
    "GR": Country(2, 2),
    "IL": Country(2, 2),
    "TN": Country(1, 1),
    "JO": Country(1, 2),
    "LB": Country(1, 2),
    "KG": Country(1, 6),
    "TJ": Country(1, 5),
    "GE": Country(1, 4),
    "AM": Country(1, 4),
    "JM": Country(1, -5),
    "NZ": Country(1, 12),
}

HOURS = (
    *(0.35, 0.20, 0.12, 0.10, 0.12, 0.25, 0.50, 0.80, 1.00, 1.10, 1.15, 1.20),
    *(1.30, 1.20, 1.15, 1.15, 1.20, 1.35, 1.50, 1.60, 1.65, 1.50, 1.10, 0.65),
)
"""Relative demand by local hour: quiet before dawn, busiest in the evening."""

WEEK = (1.0, 1.0, 1.0, 1.05, 0.9, 0.85, 1.0)
"""Relative demand by day, from Tuesday on: an assumption, because no measurement is published."""
