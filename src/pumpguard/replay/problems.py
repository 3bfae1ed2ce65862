"""What could not be read of a log, with the places and the reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pumpguard.replay.words import counted

EXAMPLES = 20

NO_ROWS = "a header, and no row below it"


@dataclass
class Problems:
    """What could not be read of a file: how often for each reason, and the first places."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        self.counts[reason] += 1
        if self.counts[reason] <= 3 and len(self.examples) < EXAMPLES:
            self.examples.append((line, reason))

    def lines(self, name: str) -> list[str]:
        """Each reason as a sentence about the file of that name, with the first places. What is
        about no line is about the file."""
        return [
            f"{name}: {reason}."
            if (0, reason) in self.examples
            else f"{name}: {counted(count, 'row')}: {reason}{self._where(reason)}."
            for reason, count in self.counts.most_common()
        ]

    def _where(self, reason: str) -> str:
        places = [str(line) for line, why in self.examples if why == reason and line]
        return f" (line {', '.join(places)})" if places else ""
