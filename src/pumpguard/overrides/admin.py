"""Changes the overrides: for the command line, the console and apps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pumpguard.errors import OverrideError, StoreError
from pumpguard.listeners import Change, Listeners
from pumpguard.overrides.document import OverrideDocument, version_bytes
from pumpguard.overrides.lists import Hash, ListedKind, Listing, ListName, check_country, subject
from pumpguard.overrides.posture import EVERYWHERE, Escalation, Posture, PostureOverride
from pumpguard.overrides.standing import LIFT, LONGEST, MOST_TIMES, Expectation, Order
from pumpguard.overrides.stored import posture_named
from pumpguard.store.overrides import OverrideStore, version_of

MAX_RETRIES = 10
"""Attempts to write while others write as well."""

MAX_DURATION = 366 * 86_400
"""Seconds. The longest that an override with an end may last."""


class OverrideAdmin:
    """Changes the overrides of a policy, each change as a whole or not at all.

    ``clock`` gives Unix seconds, ``region`` is where numbers without a calling code are from.
    ``on_change`` is called after each write, also after one whose outcome is unknown;
    ``listeners`` hear what has changed.
    Methods return the whole document as it is then. They raise `OverrideError` for an argument that
    makes no sense, and `StoreError` if the store did not answer: then the change may or may not
    have been written, and `show` tells.
    """

    def __init__(
        self,
        store: OverrideStore,
        hashed: Hash,
        *,
        region: str | None = None,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[], None] | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self._listeners = listeners
        self._store = store
        self._hashed = hashed
        self._region = region
        self._clock = clock
        self._on_change = on_change

    def now(self) -> float:
        """The time in Unix seconds by which overrides begin and end."""
        return self._clock()

    async def show(self) -> OverrideDocument:
        """All overrides that are in force."""
        return OverrideDocument.parse(await self._store.read()).without_expired(self._clock())

    async def posture(
        self,
        posture: Posture | str,
        *,
        author: str,
        reason: str = "",
        country: str | None = None,
        seconds: float | None = None,
        then: Posture | str = Posture.NORMAL,
        anew: bool = False,
    ) -> OverrideDocument:
        """Set the posture, for everybody or for one country, for so many ``seconds`` (at most a
        year) or until further notice; ``then`` is the posture after that. ``anew`` replaces a
        document that cannot be read, lists included."""
        at = self._clock()
        override = PostureOverride(
            posture=posture_named(str(posture), "posture"),
            author=author,
            at=at,
            reason=reason,
            until=_until(at, seconds),
            then=posture_named(str(then), "then"),
        )
        if seconds is None and override.then is not Posture.NORMAL:
            raise OverrideError("then", "an end, after which it steps down")
        scope = check_country(country) if country else EVERYWHERE
        change = Change(
            "posture", "country", scope or "all", author, reason, at, str(override.posture),
            override.until,
        )  # fmt: skip
        return await self.change(
            lambda document: document.with_posture(override, scope), change, anew
        )

    async def expect(
        self,
        times: float,
        *,
        author: str,
        seconds: float | None = None,
        reason: str = "",
        country: str | None = None,
    ) -> OverrideDocument:
        """Expect so many ``times`` as much as usual to a country, or to all, for so many
        ``seconds`` (at most a week); once as much as usual ends that. The lines of credit and the
        limits by country and of everything, and the hour's share of budgets, are as many times as
        long meanwhile (docs/operations.md)."""
        place, at = check_country(country) if country else EVERYWHERE, self._clock()
        until = at + seconds if seconds is not None and times != 1 else None
        told = "expect", "country", place or "all", author, reason, at, f"{times:g}", until
        change = Change(*told)
        if times == 1:
            return await self.change(lambda document: document.without_expectation(place), change)
        if not 1 < times <= MOST_TIMES:
            raise OverrideError("times", f"1, or more and at most {MOST_TIMES:.0f}", times)
        if seconds is None or not 0 < seconds <= LONGEST:
            raise OverrideError("seconds", f"an end: above 0 and at most {LONGEST}", seconds)
        expectation = Expectation(
            times=float(times), author=author, at=at, until=at + seconds, reason=reason
        )
        return await self.change(
            lambda document: document.with_expectation(expectation, place), change
        )

    async def allow(
        self,
        kind: ListedKind,
        value: str,
        *,
        author: str,
        reason: str = "",
        seconds: float | None = None,
        spends_freely: bool = False,
    ) -> OverrideDocument:
        """Put a number, prefix, network, country or account on the allow list: it is refused by
        nothing but ``closed`` and, unless it ``spends_freely``, a spent budget."""
        return await self._list(
            "allow", kind, value, seconds, author=author, reason=reason, spends_freely=spends_freely
        )

    async def deny(
        self,
        kind: ListedKind,
        value: str,
        *,
        author: str,
        reason: str = "",
        seconds: float | None = None,
    ) -> OverrideDocument:
        """Put it on the deny list. Another listing that allows the same attempt wins."""
        return await self._list("deny", kind, value, seconds, author=author, reason=reason)

    async def remove(
        self, kind: ListedKind, value: str, *, author: str = "", reason: str = ""
    ) -> OverrideDocument:
        """Take it off its list. Raises `OverrideError` if it is on none."""
        name, shown = subject(kind, value, self._hashed, self._region)
        return await self._remove(kind, name, shown, author, reason)

    async def remove_listing(
        self, listing: Listing, *, author: str = "", reason: str = ""
    ) -> OverrideDocument:
        """Like `remove`, but takes the entry as listed, where numbers are hashes."""
        return await self._remove(listing.kind, listing.value, listing.shown, author, reason)

    async def escalate(self, escalation: Escalation, code: str) -> OverrideDocument:
        """Take the escalation's next step after a finding with this code, if there is one."""
        now = self._clock()

        def escalated(document: OverrideDocument) -> OverrideDocument:
            if document.set_by_person(now):
                return document
            step = escalation.next_step(document.step, now, code)
            return document if step is None else replace(document, step=step)

        change = Change("escalate", "country", "all", "escalation", code, now)
        return await self.change(escalated, change)

    async def _list(
        self, verdict: ListName, kind: ListedKind, value: str, seconds: float | None, **details: Any
    ) -> OverrideDocument:
        at = self._clock()
        name, shown = subject(kind, value, self._hashed, self._region)
        until = _until(at, seconds)
        listing = Listing(
            verdict=verdict, kind=kind, value=name, shown=shown, at=at, until=until, **details
        )
        change = Change(verdict, kind, shown, details["author"], details["reason"], at, until=until)
        return await self.change(lambda document: document.with_listing(listing), change)

    async def _remove(
        self, kind: ListedKind, name: str, shown: str, author: str, reason: str
    ) -> OverrideDocument:
        def removed(document: OverrideDocument) -> OverrideDocument:
            left = document.without_listing(kind, name)
            if left.listings == document.listings:
                raise OverrideError(kind, "one that is listed", shown)
            return left

        change = Change("remove", kind, shown, author, reason, self._clock())
        return await self.change(removed, change)

    async def change(
        self,
        changed: Callable[[OverrideDocument], OverrideDocument],
        change: Change,
        anew: bool = False,
    ) -> OverrideDocument:
        """Read, change, and write if nobody else has written meanwhile; else try again."""
        for _ in range(MAX_RETRIES):
            before = _parsed(await self._store.read(), anew)
            after = changed(before.without_expired(self._clock()))
            if after == before and change.what != LIFT:
                return before
            after = after.with_order(Order.of(change))
            try:
                version = await self._store.write(version_bytes(before.version), after.encode())
            finally:
                if self._on_change is not None:
                    self._on_change()
            if version is not None:
                if self._listeners:
                    self._listeners.overridden(change)
                return replace(after, version=int.from_bytes(version))
        raise StoreError("others keep changing the overrides; nothing was written")


def _parsed(document: bytes, anew: bool) -> OverrideDocument:
    try:
        return OverrideDocument.parse(document)
    except OverrideError:
        if not anew:
            raise
    return OverrideDocument(version=version_of(document))


def _until(at: float, seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if not 0 < seconds <= MAX_DURATION:
        raise OverrideError("seconds", f"above 0 and at most {MAX_DURATION}", seconds)
    return at + seconds
