"""The header lines of a request, sorted once; starlette's `Headers` searches them at every look."""

from __future__ import annotations

from typing import Protocol

from starlette.types import Scope


class HasLines(Protocol):
    """What reading a header needs; starlette's `Headers` has it too."""

    def getlist(self, key: str) -> list[str]:
        """All lines of one name, in order."""
        ...


class Lines:
    """The lines by lower-case name."""

    __slots__ = ("_lines",)

    def __init__(self, scope: Scope) -> None:
        lines: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in lines:
                lines[name].append(value)
            else:
                lines[name] = [value]
        self._lines = lines

    def __contains__(self, key: str) -> bool:
        return key.lower().encode("latin-1") in self._lines

    def only(self, key: str, value: str) -> bool:
        """Whether a name has one line, and that is this value."""
        return self._lines.get(key.encode("latin-1")) == [value.encode("latin-1")]

    def getlist(self, key: str) -> list[str]:
        """All lines of one name, in order. ASGI servers send names in lower case."""
        return [
            value.decode("latin-1") for value in self._lines.get(key.lower().encode("latin-1"), ())
        ]

    def get(self, key: str, default: str = "") -> str:
        """The first line of one name."""
        lines = self._lines.get(key.lower().encode("latin-1"))
        return lines[0].decode("latin-1") if lines else default
