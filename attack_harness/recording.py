"""Writes a simulated day as a log, as apps and providers have them: ``pumpguard replay`` reads it.

python -m attack_harness.recording log.csv --family sequential_block --seed 1 --days 1
"""

from __future__ import annotations

import argparse
import asyncio
import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from .actors import Call, Reply
from .benchmark.cells import NO_ATTACK, OPEN, Cell, Setting
from .benchmark.day import Day
from .benchmark.stage import stage
from .clock import DAY
from .run import play
from .targets import Target

SENT, VERIFIED = 202, 200


class Message(NamedTuple):
    """One message that the app sent, and when its code was entered, if it was (Unix seconds)."""

    at: float
    phone: str
    address: str
    verified_at: float | None = None


class Recorder:
    """A target that remembers what was sent and verified."""

    def __init__(self, target: Target) -> None:
        self.concurrent = target.concurrent
        self._target = target
        self.messages: list[Message] = []
        self._latest: dict[str, int] = {}

    async def call(self, call: Call, at: float) -> Reply:
        reply = await self._target.call(call, at)
        if call.meant is not None and reply.status == SENT:
            self._latest[call.meant] = len(self.messages)
            self.messages.append(Message(at, call.meant, call.address or ""))
        elif call.path == "/otp/verify" and reply.status == VERIFIED and call.json:
            i = self._latest[str(call.json["phone"])]
            self.messages[i] = self.messages[i]._replace(verified_at=at)
        return reply


async def record(family: str, seed: int, users: int, *, held_out: bool = False) -> list[Message]:
    """The messages of a day without a guard; ``family`` is an attack, a crowd, a look-alike, or
    `NO_ATTACK`."""
    cell, setting = (
        Cell(family, seed, "appwrite-2026", OPEN),
        Setting(users=users, held_out=held_out),
    )
    day = Day(cell, setting)
    async with stage(cell, setting) as target:
        recorder = Recorder(target)
        await play(day.reached(recorder), day.everybody())
    return recorder.messages


def write(path: Path, messages: Sequence[Message]) -> None:
    """As CSV, with times in UTC."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date_created", "to", "ip", "used_at"])
        for each in messages:
            entered = "" if each.verified_at is None else moment(each.verified_at)
            rows.writerow([moment(each.at), each.phone, each.address, entered])


def moment(at: float) -> str:
    """ISO 8601."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def main(arguments: Sequence[str] | None = None) -> None:
    """Several days are one after another, each with its own seed; the attack is on the last."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--family", default="sequential_block")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=1)
    given = parser.parse_args(arguments)
    messages: list[Message] = []
    for number in range(given.days):
        family = given.family if number == given.days - 1 else NO_ATTACK
        for each in asyncio.run(record(family, given.seed + number, given.users)):
            later = number * DAY
            entered = None if each.verified_at is None else each.verified_at + later
            messages.append(each._replace(at=each.at + later, verified_at=entered))
    write(given.file, sorted(messages))


if __name__ == "__main__":
    main()
