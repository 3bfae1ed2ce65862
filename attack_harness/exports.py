"""A simulated day as each of the logs that ``pumpguard replay`` reads, held against a live run.

python -m attack_harness.exports --family country_spray --users 1000

A live run is a guard that is asked about each message of the day at its time, and told of each code
that was entered. A log lacks something, such as addresses: of a live run that knows as little, its
replay makes every decision again.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from math import floor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pumpguard import Guard, Policy
from pumpguard.intake.phone import canonical
from pumpguard.ops.events import Events, File
from pumpguard.replay.entry import CODE_ENTERED
from pumpguard.replay.lacking import told_apart
from pumpguard.replay.logs import read
from pumpguard.replay.play import play
from pumpguard.replay.tally import REFUSED

from .recording import Message, record

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB", "IE", "FR", "DE", "US"]
daily_budget = 200
secret = "sixteen bytes or more"
"""

Price = Callable[[str], float]
Texts = Mapping[str, str]


class Result(NamedTuple):
    """USD of what passed, and what was refused: numbers with the second in which they asked. Of a
    live run also the messages that passed."""

    usd: float
    refused: Counter[tuple[str, int]]
    passed: Sequence[Message] = ()


class Export(NamedTuple):
    """A log as files by their names; what it lacks in words, and the day without it."""

    write: Callable[[Sequence[Message], Price], Texts]
    lacks: str
    without: Callable[[Message], Message]


async def live(day: Sequence[Message], policy: Policy, events: Path | None = None) -> Result:
    """What a guard does, which is asked in the order of times. If it writes its ``events``, codes
    are only entered for messages that it let through: others are no events."""
    now = day[0].at
    guard = Guard(policy, clock=lambda: now)
    guard.observations.hearing.hear()  # an app that has users, as a replay takes it to be
    if events is not None:
        Events(guard, File(events), addresses="whole", numbers="clear")
    usd, refused = 0.0, Counter[tuple[str, int]]()
    asked = ((each.at, False, each) for each in day)
    entered = ((each.verified_at, True, each) for each in day if each.verified_at is not None)
    kept_back: set[Message] = set()
    for at, is_verification, each in sorted(chain(asked, entered), key=lambda e: e[:2]):
        now = at
        if is_verification:
            if events is not None and each in kept_back:
                continue
            guard.verified(each.phone)
            await guard.settled()
            continue
        decision = await guard.assess(guard.attempt(each.phone, each.address or None))
        if decision.allowed:
            usd += decision.attempt.price or 0.0
        else:
            kept_back.add(each)
            refused[decision.attempt.phone.e164, int(at)] += 1
    await guard.aclose()
    return Result(usd, refused, [each for each in day if each not in kept_back])


def replayed(files: Sequence[Path], policy: Policy) -> Result:
    """What a replay makes of the files."""
    journal = read(files, {}, "UTC", None).journal
    ready, _ = told_apart(policy, journal)
    tally, _ = asyncio.run(play(journal, ready))
    refused = Counter(
        (entry.phone, int(entry.at))
        for entry, verdict in zip(journal, tally.verdicts, strict=True)
        if verdict == REFUSED
    )
    return Result(sum(each.usd for each in tally.with_guard.values()), refused)


def otherwise(a: Result, b: Result) -> int:
    """How many messages are decided otherwise."""
    return (a.refused - b.refused).total() + (b.refused - a.refused).total()


def _own_csv(day: Sequence[Message], _: Price) -> Texts:
    rows = [[_iso(m.at), m.phone, m.address, _iso(m.verified_at)] for m in day]
    return {"table.csv": _csv("sent_at,phone,ip,verified_at", rows)}


def _own_lines(day: Sequence[Message], _: Price) -> Texts:
    rows = [
        {"at": m.at, "phone": m.phone, "ip": m.address, "verified_at": m.verified_at} for m in day
    ]
    return {"table.jsonl": _lines(rows)}


def _twilio(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        ["+15005550006", m.phone, "delivered", _second(m.at), 1, f"SM{n:032x}", "outbound-api",
         -price(m.phone), "USD"]
        for n, m in enumerate(day)
    ]  # fmt: skip
    head = "From,To,Status,SentDate,NumSegments,Sid,Direction,Price,PriceUnit"
    return {"messages.csv": _csv(head, rows), **_codes(day)}


def _verify(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        {
            "sid": f"VL{n:032x}", "verification_sid": f"VE{n:032x}", "date_created": _second(m.at),
            "conversion_status": "unconverted" if m.verified_at is None else "converted",
            "channel": "sms", "channel_data": {"to": m.phone},
            "price": {"value": price(m.phone), "currency": "USD"},
        }
        for n, m in enumerate(day)
    ]  # fmt: skip
    return {"attempts.jsonl": _lines(rows)}


def _sns(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        {
            "notification": {"messageId": f"{n:x}", "timestamp": _iso(m.at)[:23].replace("T", " ")},
            "delivery": {"destination": m.phone, "priceInUSD": price(m.phone),
                         "smsType": "Transactional", "numberOfMessageParts": 1},
            "status": "SUCCESS",
        }
        for n, m in enumerate(day)
    ]  # fmt: skip
    return {"delivery.jsonl": _lines(rows), **_codes(day)}


def _usage(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        [_iso(m.at)[:23] + "Z", f"{n:x}", m.phone, "Transactional", "Message has been accepted",
         price(m.phone), 1, 1]
        for n, m in enumerate(day)
    ]  # fmt: skip
    head = (
        "PublishTimeUTC,MessageId,DestinationPhoneNumber,MessageType,DeliveryStatus,PriceInUSD,"
        "PartNumber,TotalParts"
    )
    return {"usage.csv": _csv(head, rows), **_codes(day)}


def _end_user(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        {
            "eventType": kind, "eventTimestamp": floor(m.at * 1000) + later, "isFinal": final,
            "destinationPhoneNumber": m.phone, "messageId": f"{n:x}",
            "messageRequestTimestamp": floor(m.at * 1000 + 1e-6), "totalMessageParts": 1,
            "messageStatus": kind.removeprefix("TEXT_"), "totalMessagePrice": price(m.phone),
        }
        for n, m in enumerate(day)
        for kind, later, final in (("TEXT_SENT", 300, False), ("TEXT_DELIVERED", 4_000, True))
    ]  # fmt: skip
    return {"events.jsonl": _lines(rows), **_codes(day)}


def _vonage(day: Sequence[Message], price: Price) -> Texts:
    rows = [
        [f"{n:x}", "outbound", m.phone.removeprefix("+"), _second(m.at), "delivered", "USD",
         price(m.phone)]
        for n, m in enumerate(day)
    ]  # fmt: skip
    head = "message_id,direction,to,date_received,status,currency,total_price"
    return {"report.csv": _csv(head, rows), **_codes(day)}


def _codes(day: Sequence[Message]) -> Texts:
    """A table of one's own, of the codes that were entered."""
    rows = [[m.phone, _iso(m.verified_at)] for m in day if m.verified_at is not None]
    return {"codes.csv": _csv("phone,verified_at", rows)}


def _whole(message: Message) -> Message:
    return message


def _no_address(message: Message) -> Message:
    return message._replace(address="")


def _by_the_second(message: Message) -> Message:
    return message._replace(address="", at=float(floor(message.at)))


def _converted(message: Message) -> Message:
    at = floor(message.at)
    entered = None if message.verified_at is None else at + CODE_ENTERED
    return Message(float(at), message.phone, "", entered)


EXPORTS: Mapping[str, Export] = {
    "your own table, CSV": Export(_own_csv, "nothing", _whole),
    "your own table, JSON lines": Export(_own_lines, "nothing", _whole),
    "Twilio's messages + your codes": Export(
        _twilio, "addresses; parts of seconds", _by_the_second
    ),
    "Twilio Verify's attempts": Export(
        _verify, "addresses; parts of seconds; when a code was entered", _converted
    ),
    "SNS's delivery log + your codes": Export(_sns, "addresses", _no_address),
    "SNS's usage report + your codes": Export(_usage, "addresses", _no_address),
    "End User Messaging's events + your codes": Export(_end_user, "addresses", _no_address),
    "Vonage's report + your codes": Export(_vonage, "addresses; parts of seconds", _by_the_second),
}


def written(folder: Path, texts: Texts) -> list[Path]:
    """The files of an export."""
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def price_of(policy: Policy) -> Price:
    """What the policy takes a message to a number to cost."""
    return lambda phone: policy.price_table.price(canonical(phone).region)


def _iso(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _second(at: float) -> str:
    return f"{datetime.fromtimestamp(floor(at), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _csv(head: str, rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    file.write(head + "\n")
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(day: Sequence[Message], policy: Policy) -> Iterator[str]:
    """A row for each export, as Markdown."""
    with TemporaryDirectory() as folder:
        events = Path(folder, "guard.jsonl")
        usual, told = (asyncio.run(live(day, policy, path)) for path in (None, events))
        found = replayed([events], policy)
        lacks = "codes for messages that were refused, which nobody got"
        yield _row("pumpguard's own events", lacks, found, usual, told)
        for name, export in EXPORTS.items():
            found = replayed(written(Path(folder), export.write(day, price_of(policy))), policy)
            knowing = asyncio.run(live([export.without(each) for each in day], policy))
            yield _row(name, export.lacks, found, usual, knowing)


def _row(name: str, lacks: str, found: Result, usual: Result, knowing: Result) -> str:
    return (
        f"| {name} | {lacks} | {found.usd:,.2f} | {found.refused.total():,} | "
        f"{otherwise(found, usual):,} | {otherwise(found, knowing):,} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--family", default="country_spray")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=1_000)
    given = parser.parse_args(arguments)
    day = sorted(asyncio.run(record(given.family, given.seed, given.users)))
    print(
        "| log | lacks | USD with the policy | refused | decided otherwise than the live run | "
        "than one that knows as little |\n| --- | --- | --- | --- | --- | --- |"
    )
    for row in table(day, Policy.from_toml(POLICY)):
        print(row)


if __name__ == "__main__":
    main()
