"""The human side: who got a code without the guard and did not with it.

That is what *harmed* means. A user who solved a challenge or waited and then got the code counts
as challenged or delayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .figures import Table, share
from .user import Outcome

USUAL = frozenset({"cgnat", "office", "traveller"})
"""Groups that every population has."""

LATE = 30.0
"""A user is *delayed* if the code came this many seconds later than without the guard."""


def users_entry(
    without: Sequence[Outcome], guarded: Sequence[Outcome], attacked: frozenset[str]
) -> Table:
    """All users, and the groups whose members look suspicious without being so."""
    pairs = list(zip(without, guarded, strict=True))
    groups = {
        "cgnat": [p for p in pairs if "cgnat" in p[0].user.groups],
        "offices": [p for p in pairs if "office" in p[0].user.groups],
        "travellers": [p for p in pairs if "traveller" in p[0].user.groups],
        "attacked_countries": [p for p in pairs if p[0].user.country in attacked],
        **_crowds(pairs),
    }
    harmed = [b for a, b in pairs if _harmed(a, b)]
    return {
        **group_entry(pairs),
        "groups": {name: group_entry(members) for name, members in groups.items()},
        "attacked_countries": sorted(attacked),
        "harmed_by_country": _counted(b.user.country for b in harmed),
        # Silence: the app said that it sent a message, and none ever came.
        "harmed_by_refusal": _counted(b.gave_up_at or "silence" for b in harmed),
    }


def _crowds(
    pairs: Sequence[tuple[Outcome, Outcome]],
) -> dict[str, list[tuple[Outcome, Outcome]]]:
    """The crowds and look-alikes that this time has, by name."""
    names = {name for without, _ in pairs for name in without.user.groups - USUAL}
    return {name: [p for p in pairs if name in p[0].user.groups] for name in sorted(names)}


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _harmed(without: Outcome, guarded: Outcome) -> bool:
    return without.got_code and not guarded.got_code


def _delayed(without: Outcome, guarded: Outcome) -> bool:
    if without.got_code_at is None or guarded.got_code_at is None:
        return False
    return guarded.got_code_at - without.got_code_at > LATE


def group_entry(pairs: Sequence[tuple[Outcome, Outcome]]) -> Table:
    """One group of users; the harmed are a share of those who got a code without the guard."""
    got = sum(a.got_code for a, _ in pairs)
    harmed = sum(_harmed(a, b) for a, b in pairs)
    return {
        "total": len(pairs),
        "got_code_without": got,
        "got_code_with": sum(b.got_code for _, b in pairs),
        "verified_without": sum(a.verified for a, _ in pairs),
        "verified_with": sum(b.verified for _, b in pairs),
        "harmed": harmed,
        "harmed_share": share(harmed, got),
        "challenged": sum(b.challenged for _, b in pairs),
        "refused": sum(b.refused > 0 for _, b in pairs),
        "delayed": sum(_delayed(a, b) for a, b in pairs),
    }
