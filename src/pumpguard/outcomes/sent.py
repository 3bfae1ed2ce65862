"""Whether an answer of the app says that a message went out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pumpguard.errors import PolicyError

BY_SENDER = "sender"
DEFAULT = ("2xx", 302, 303)
"""A form is answered by a redirect to the page where the code is entered (302, 303). With 307 and
308 the client asks once more, elsewhere."""

CLASS = re.compile(r"[1-5]xx\Z")
EXPECTED = "statuses such as '2xx' or 202, a list of them, 'sender', or a function of a status"


class SentWhen:
    """A policy's ``sent_when``: which statuses say that a message went out.

    ``by_sender`` says that no status does where the wrapped sender was not called; ``function`` is
    asked in the place of ``statuses``, if there is one. Raises `PolicyError` for a setting that
    says nothing.
    """

    def __init__(self, setting: object = DEFAULT, path: str = "sent_when") -> None:
        self.by_sender = setting == BY_SENDER
        self.function: Callable[[int], object] | None = None
        self.statuses = frozenset[int]()
        if callable(setting):
            self.function = setting
            return
        chosen = DEFAULT if self.by_sender else setting
        several = isinstance(chosen, Sequence) and not isinstance(chosen, str)
        each = chosen if isinstance(chosen, Sequence) and several else (chosen,)
        self.statuses = self.statuses.union(*(_statuses(one, path) for one in each))
        if not self.statuses:
            raise PolicyError(path, EXPECTED, setting)


def _statuses(one: object, path: str) -> range | tuple[int]:
    if isinstance(one, str) and CLASS.match(one):
        return range(int(one[0]) * 100, int(one[0]) * 100 + 100)
    if type(one) is int and 100 <= one <= 599:
        return (one,)
    raise PolicyError(path, EXPECTED, one)
