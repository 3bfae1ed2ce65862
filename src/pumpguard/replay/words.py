"""Counts in words."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """``1 row``, ``2 rows``, ``1,000 rows``."""
    return f"{count:,} {what}{'s' * (count != 1)}"
