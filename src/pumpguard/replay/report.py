"""What a replay comes to: as an object for JSON, and in words for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pumpguard.replay.episodes import Episode
from pumpguard.replay.figures import customers, held_out, held_out_line, interval, moment, sum_
from pumpguard.replay.journal import Journal
from pumpguard.replay.logs import FileRead
from pumpguard.replay.tally import Sum, Tally
from pumpguard.replay.words import counted


@dataclass
class Report:
    """A played journal with the files that it was read from."""

    files: Sequence[FileRead]
    journal: Journal
    tally: Tally
    episodes: Sequence[Episode]
    notes: Sequence[str]
    prices: str
    challenge: bool

    @property
    def priced(self) -> bool:
        """Whether it is known what messages cost; else they are counted."""
        return not self.journal.of_requests or self.journal.priced > 0

    def amount(self, each: Sum) -> str:
        """Messages in dollars, or how many they are."""
        return f"${each.usd:,.2f}" if self.priced else f"{each.messages:,}"

    def height(self, each: Sum) -> float:
        """The same for a chart."""
        return each.usd if self.priced else float(each.messages)

    @property
    def sent(self) -> tuple[int, int]:
        """Messages without the policy, and with it."""
        without, left = self.tally.without, self.tally.with_guard
        return (
            sum(each.messages for each in without.values()),
            sum(each.messages for each in left.values()),
        )

    @property
    def without(self) -> float:
        """USD that was spent."""
        return sum(each.usd for each in self.tally.without.values())

    @property
    def with_guard(self) -> float:
        """USD that would have been."""
        return sum(each.usd for each in self.tally.with_guard.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "files": [
                {
                    "path": name,
                    "read_as": columns.source,
                    "columns": dict(columns.by),
                    "not_read": dict(problems.counts),
                    "examples": [
                        {"line": line, "reason": reason} for line, reason in problems.examples
                    ],
                }
                for name, columns, problems in self.files
            ],
            "messages": self.journal.messages,
            "verifications": self.journal.verifications,
            "from": moment(self.journal.first),
            "to": moment(self.journal.last),
            "prices": self.prices,
            "notes": list(self.notes),
            "usd": {"without": round(self.without, 4), "with": round(self.with_guard, 4)}
            if self.priced
            else None,
            "sent": dict(zip(("without", "with"), self.sent, strict=True)),
            "days": {
                day: {"without": sum_(each), "with": sum_(self.tally.with_guard[day])}
                for day, each in sorted(self.tally.without.items())
            },
            "by_rule": {
                rule: sum_(each)
                for rule, each in sorted(
                    self.tally.by_rule.items(), key=lambda pair: -pair[1].micros
                )
            },
            "customers": customers(self.tally.customers),
            "customers_by_country": {
                country: customers(each)
                for country, each in sorted(
                    self.tally.by_country.items(), key=lambda pair: -pair[1].all
                )
            },
            **({"held_out": held_out(self.tally.held_out)} if self.tally.held_out.numbers else {}),
            **(self._again_json() if self.tally.again.decided else {}),
            "episodes": [
                {
                    "start": moment(each.start),
                    "end": moment(each.end),
                    "messages": each.messages,
                    "usd": round(each.usd, 4),
                    "countries": dict(each.countries.most_common(10)),
                    "recognised_by": each.recognised_by,
                }
                for each in self.episodes
            ],
        }

    def lines(self) -> list[str]:
        """The report in words."""
        who = self.tally.customers
        messages = counted(self.journal.messages, "message")
        codes = counted(self.journal.verifications, "verification")
        span = f"{moment(self.journal.first)} to {moment(self.journal.last)}"
        lines = [
            f"{messages} and {codes}, {span}.",
            self._money(),
        ]
        if who.all:
            low, high = interval(who.refused, who.all)
            asked = f" and {who.asked:,} asked for proof ({who.asked / who.all:.2%})"
            lines.append(
                f"Of {counted(who.all, 'customer')} who entered a code, {who.refused:,} would have "
                f"got none ({who.refused / who.all:.2%}; 95 % interval {low:.2%} to {high:.2%})"
                f"{asked if self.challenge else ''}."
            )
        if self.tally.held_out.numbers:
            lines.append(held_out_line(self.tally.held_out))
        if self.tally.again.decided:
            lines += self._again_lines()
        found = f"{counted(len(self.episodes), 'attack episode')} found:"
        lines += ["", found] if self.journal.tells_attacks else []
        lines += [
            f"  {moment(each.start)} to {moment(each.end)}: {counted(each.messages, 'message')}, "
            f"${each.usd:,.2f}, {', '.join(c for c, _ in each.countries.most_common(4))}; "
            f"by {', '.join(each.recognised_by[:2]) or 'how many went unanswered'}"
            for each in self.episodes
        ]
        lines += ["", "Refused by rule:"]
        lines += [
            f"  {rule}: {counted(each.messages, 'message')}"
            f"{f', {self.amount(each)}' if self.priced else ''}"
            for rule, each in sorted(self.tally.by_rule.items(), key=lambda pair: -pair[1].micros)
        ]
        lines += ["", f"By day, {'spent' if self.priced else 'messages'} and with this policy:"]
        lines += [
            f"  {day}: {self.amount(each)} and {self.amount(self.tally.with_guard[day])}"
            for day, each in sorted(self.tally.without.items())
        ]
        harmed = [(c, each) for c, each in self.tally.by_country.items() if each.refused]
        if harmed:
            lines += ["", "Customers refused, by country:"]
            lines += [
                f"  {country}: {each.refused:,} of {each.all:,}"
                for country, each in sorted(harmed, key=lambda pair: -pair[1].refused)[:15]
            ]
        return [*lines, "", *self.cautions()]

    def _money(self) -> str:
        spent = "Without a guard" if self.tally.again.decided else "Spent"
        (all_, left), saved = self.sent, self.without - self.with_guard
        if not self.priced:
            share = f" ({(all_ - left) / all_:.1%})" if all_ else ""
            return (
                f"Sent: {all_:,}. With this policy: {left:,}, refused {all_ - left:,}{share}. What "
                "they cost is not known; --price 0.05 says it."
            )
        share = f" ({saved / self.without:.1%})" if self.without else ""
        return (
            f"{spent}: ${self.without:,.2f}. With this policy: ${self.with_guard:,.2f}, "
            f"saved ${saved:,.2f}{share}. {self.prices}"
        )

    def _again_json(self) -> dict[str, Any]:
        again = self.tally.again
        return {
            "decided_again": {
                "decisions": again.decided,
                "same": again.same,
                "examples": [
                    {"at": at, "then": then, "now": now} for at, then, now in again.examples
                ],
            }
        }

    def _again_lines(self) -> list[str]:
        again = self.tally.again
        lines = [
            f"Of {again.decided:,} decisions in the events, {again.same:,} came out the same and "
            f"{again.decided - again.same:,} did not{':' if again.examples else '.'}"
        ]
        for at, then, now in again.examples:
            lines += [f"  {moment(at)}", f"    then: {then}", f"    now:  {_indented(now)}"]
        return lines

    def cautions(self) -> list[str]:
        """What the reader must know before believing it."""
        lines = list(self.notes)
        for name, columns, problems in self.files:
            lines += [columns.told(name), *problems.lines(name)]
        for what, count in self.tally.faults.items():
            if count:
                lines.append(f"Messages {what}: {count:,}; the log is larger than its room.")
        lines.append(
            "Nobody reacts in a replay: an attacker who is refused would try other numbers, a "
            "customer would try again."
        )
        return lines


def _indented(text: str) -> str:
    return text.replace("\n", "\n        ")
