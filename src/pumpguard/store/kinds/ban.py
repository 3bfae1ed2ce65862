"""Bans that grow for repeat offenders and decay for everybody else. Twin: ``ban.lua``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pumpguard.counters import Ban
from pumpguard.store.kinds import window
from pumpguard.store.kinds.slices import Slices, SlicesLook

Kept: TypeAlias = tuple[int, int, window.Log | Slices | None]
"""Until when, the level, and the strikes."""

HIGHEST_LEVEL = 255


@dataclass(slots=True)
class BanLook:
    """A ban as one request sees it; `strike` may start one."""

    ban: Ban
    now: int
    ends: int
    level: int
    strikes: window.LogLook | SlicesLook
    room: int = 0

    @property
    def used(self) -> int:
        """The level: how often this subject was banned, less what has decayed."""
        return self.level

    @property
    def wait(self) -> int:
        """What is left of the ban."""
        return 0 if self.ban.yields and self.room else max(0, self.ends - self.now)

    def strike(self, chance: float) -> tuple[Kept, int]:
        """Add a strike; at the limit the ban begins and the strikes start anew."""
        expires = 0
        strikes: window.Log | Slices | None = None
        enough = min(self.ban.strikes * self.ban.most, self.ban.strikes + self.room)
        if self.strikes.used + 1 >= enough:
            self._begin(chance)
        else:
            strikes, expires = self.strikes.charged()
        forgotten = max(self.ends, self.now) + self.level * self.ban.memory * 1000
        return (self.ends, self.level, strikes), max(expires, forgotten)

    def _begin(self, chance: float) -> None:
        seconds = min(self.ban.base * self.ban.factor**self.level, self.ban.cap)
        seconds *= 1 + self.ban.jitter * chance
        self.ends = self.now + max(1, int(seconds * 1000))
        self.level = min(self.level + 1, HIGHEST_LEVEL)


def look(ban: Ban, stored: Kept | None, now: int) -> BanLook:
    """Read a ban and its strikes."""
    ends, level, strikes = stored or (0, 0, None)
    if level and now > ends:
        level = max(0, level - (now - ends) // (ban.memory * 1000))
    struck = window.look(ban.strikes, ban.seconds * 1000, strikes, now, ban.strikes * ban.most)
    return BanLook(ban, now, ends, level, struck)
