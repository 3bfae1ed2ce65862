"""How classes of plain facts are made: dataclasses that nobody changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["facts"]

if TYPE_CHECKING:
    from dataclasses import dataclass as facts
else:
    from dataclasses import dataclass

    def facts(*, frozen, slots):
        """A dataclass, which type checkers take for frozen. Python itself would take four times as
        long to make one: of all that a refusal takes in a flood, a tenth."""
        return dataclass(slots=slots, unsafe_hash=frozen)
