"""Figures in words, the same on the screen, in the picture and on the page."""

from __future__ import annotations

NBSP = "\N{NO-BREAK SPACE}"


def dollars(amount: float) -> str:
    """``$1,234`` for what is large and ``$0.57`` for what is small."""
    sign = "-" if amount < -0.004 else ""
    size = abs(amount)
    return f"{sign}${size:,.0f}" if size >= 1_000 else f"{sign}${size:,.2f}"


def percent(share: float) -> str:
    """``98.7 %``, and never ``100 %`` for what is less than all, nor ``0 %`` for more than none."""
    text = f"{share * 100:.1f}"
    if share >= 1 or share <= 0:
        text = f"{share * 100:.0f}"
    elif text in ("100.0", "0.0"):
        text = f">{NBSP}99.9" if text == "100.0" else f"<{NBSP}0.1"
    return f"{text}{NBSP}%"


def count(number: int) -> str:
    """``12,345``."""
    return f"{number:,}"


def rule(code: str) -> str:
    """``PREFIX_SURGE`` or ``prefix_surge`` as people write it: ``prefix surge``."""
    return code.replace("_", " ").lower()
