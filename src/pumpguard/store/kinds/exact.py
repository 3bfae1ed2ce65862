"""Arithmetic that both languages do by the same steps. Twin: ``exact.lua``."""

from __future__ import annotations

import math

LN_2, ROOT, LN_ROOT = 0.6931471805599453, 0.7071067811865476, -0.34657359027997264


def ln(x: float) -> float:
    """The natural logarithm to nine digits, by the same steps in both languages."""
    mantissa, exponent = math.frexp(x)
    t = (mantissa - ROOT) / (mantissa + ROOT)
    s = t * t
    series = 1 + s * (1 / 3 + s * (0.2 + s * (1 / 7 + s / 9)))
    return exponent * LN_2 + LN_ROOT + 2 * t * series


def power(base: float, times: int) -> float:
    """By squaring, as Lua does it."""
    result = 1.0
    while times:
        if times % 2:
            result *= base
        base *= base
        times //= 2
    return result
