"""What comes back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What the store said about one counter.

    ``used`` is the count before this request (for a ban: its level); ``wait`` the seconds until
    it would let this request pass, 0 when it does now. What else some kinds have to say is in
    ``detail``.
    """

    used: int
    wait: float
    detail: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """Whether this counter speaks against the request."""
        return self.wait > 0
