"""The notation of the ``limits`` package (``"1/minute; 5/day"``), and what it is kept by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from limits import parse_many

from pumpguard.attempt import OWN_NAME, PREFIX, SUBJECTS
from pumpguard.errors import PolicyError

By: TypeAlias = str | Sequence[str]

HIGHEST_LIMIT = 2**32 - 1
MOST_EARNED = 255


def parse_limits(text: str, path: str) -> tuple[tuple[int, int], ...]:
    """``(limit, seconds)`` pairs, shortest window first.

    Raises `PolicyError` for what cannot be read, for two limits over the same time, and for a
    longer window that admits fewer than a shorter one would suggest it could never reach.
    """
    try:
        items = parse_many(text)
    except (ValueError, TypeError):
        raise PolicyError(
            path, "limits such as '1/minute; 5 per day; 10 per 7 days'", text
        ) from None
    pairs = sorted((item.get_expiry(), item.amount) for item in items)
    for seconds, amount in pairs:
        if not (0 < amount <= HIGHEST_LIMIT and seconds > 0):
            raise PolicyError(path, f"amounts from 1 to {HIGHEST_LIMIT}", text)
    for (short, few), (long, many) in pairwise(pairs):
        if short == long:
            raise PolicyError(path, "one limit per length of time", text)
        if many < few:
            raise PolicyError(path, "a longer time to allow at least as much as a shorter", text)
    return tuple((amount, seconds) for seconds, amount in pairs)


def check_earned(earned: int, limit: int, rule: str) -> None:
    """Raise `PolicyError` unless a limit can be so many times as high."""
    if not (1 <= earned <= MOST_EARNED and limit * earned <= HIGHEST_LIMIT):
        raise PolicyError(
            f"rules.{rule}.earned", f"1 to {MOST_EARNED}, and a countable limit", earned
        )


def check_dimensions(by: By, path: str) -> str:
    """The dimensions as counters name them, joined by ``+``. Raises `PolicyError`.

    Whether a policy has dimensions of other names is for the policy to check.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if not OWN_NAME.match(name):
            check_dimension(name, path)
    if not names:
        raise PolicyError(path, "at least one dimension", by)
    return "+".join(names)


def check_dimension(name: str, path: str, own: Iterable[str] = ()) -> None:
    """Raise `PolicyError` unless this is a dimension, a block of numbers or one of ``own``."""
    depth = name.removeprefix(PREFIX)
    is_prefix = name.startswith(PREFIX) and len(depth) == 1 and depth in "123456789"
    if name not in SUBJECTS and name not in own and not is_prefix:
        known = ", ".join((*SUBJECTS, *own))
        raise PolicyError(path, f"one of {known} or 'prefix:1' to 'prefix:9'", name)
