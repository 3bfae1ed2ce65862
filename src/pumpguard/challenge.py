"""Proof that somebody is there: what a challenge has to be able to do."""

from __future__ import annotations

from typing import Protocol

from starlette.datastructures import Headers


class Challenge(Protocol):
    """Something that a client can solve."""

    def solved(self, headers: Headers) -> bool:
        """Whether this request carries a solution."""
        ...
