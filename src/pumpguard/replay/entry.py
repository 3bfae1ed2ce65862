"""One row as an entry: a message that was asked for, or a code that was entered.

What a row does not say is not guessed: a bad time, number or price is counted with its place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

from pumpguard.errors import IntakeError
from pumpguard.intake.address import parse_address
from pumpguard.intake.phone import canonical
from pumpguard.replay.columns import Columns
from pumpguard.replay.read import Row

EARLIEST, LATEST = 946_684_800, 4_102_444_800
"""Unix seconds of the years 2000 and 2100. A time beyond them is a mistake: 1969 is a zero."""

LONGEST_UNIX = 19
"""Digits of a Unix time in nanoseconds."""

APACHE = "%d/%b/%Y:%H:%M:%S %z"
"""https://httpd.apache.org/docs/2.4/logs.html#common"""

DAY_ALONE = re.compile(r"\d{4}-?(\d\d-?\d\d|W\d\d(-?\d)?)(Z| UTC)?\Z")
"""``2026-11-16``. Read as midnight, all messages of a day would come at once."""

HOUR_ALONE = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?\Z")

FLOAT = re.compile(r"\+?\d+\.0\Z")
"""``447400123456.0``, as pandas writes a column of numbers in which one is missing."""

NATIONAL = re.compile(r"\(?0[1-9]")
"""``07400 123456``, as it is dialled at home."""

ROUNDED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+\Z")
"""``4.474E+11``, as spreadsheets write what does not fit into a cell."""

DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}),? (\d\d:\d\d(:\d\d)?)\Z")
"""``16.11.2026 12:30``: with dots the day is first wherever that is written."""

TWILIO = re.compile(r"(\d\d:\d\d:\d\d) UTC (\d{4}-\d\d-\d\d)\Z")
NOT_SENT = frozenset({"failed", "canceled", "cancelled", "rejected", "failure", "invalid"})
"""Statuses of messages that were not sent; what was sent and not delivered is billed."""

YES = frozenset({"1", "true", "yes", "t", "y", "approved", "converted", "success", "verified"})
NO = frozenset({"", "0", "false", "no", "f", "n", "null", "none", "pending", "unconverted",
                "canceled", "expired", "failed"})  # fmt: skip

CODE_ENTERED = 20.0
"""Seconds after its message at which a code counts as entered where the log only says that it was:
no source."""


Outcome = Literal["failed", "unallocated"]
"""What our own events say of a message that was let through."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that was asked for at ``at`` (Unix seconds), or with ``is_verification`` a code
    that was entered then. ``price`` is USD as billed, ``sent`` whether it went out.
    Of our own events: ``event`` are the facts of a decision, else empty; ``outcome``
    makes it no message but what became of the one before to its number. ``id`` is the provider's
    own of the message."""

    at: float
    phone: str
    address: str | None = None
    session: str | None = None
    price: float | None = None
    sent: bool = True
    is_verification: bool = False
    event: str | None = None
    outcome: Outcome | None = None
    id: str | None = None


@dataclass
class Parser:
    """Makes entries of rows. ``zone`` is what a time without one is in; ``region`` where numbers
    without a calling code are from; ``usd`` what a message costs whose price no column has.
    ``said`` counts what was assumed."""

    columns: Columns
    zone: tzinfo = UTC
    region: str | None = None
    usd: float | None = None
    said: Counter[str] = field(default_factory=Counter)

    def entries(self, row: Row) -> Iterator[Entry]:
        """Those of a row. Raises `ValueError` with the reason if it has none."""
        of, columns = self.columns.of, self.columns
        if of(row, "direction").lower().startswith("inbound"):
            return
        if of(row, "final").lower() == "false":
            self.said["events after which another one follows: not used"] += 1
            return
        part, id_ = of(row, "part"), of(row, "id") or None
        if part not in ("", "0", "1"):
            if not of(row, "price"):
                return
            id_ = id_ and f"{id_} {part}"
        phone = self._phone(of(row, "phone"))
        if columns.only_verifications:
            yield Entry(self._time(of(row, "verified")), phone, is_verification=True)
            return
        at = self._at(row)
        address = self._address(of(row, "address"))
        sent = of(row, "status").lower() not in NOT_SENT
        session, price = of(row, "session") or None, self._price(row)
        yield Entry(at, phone, address, session, price, sent, id=id_)
        entered = of(row, "verified")
        if entered.lower() not in NO:
            seen = self._time(entered) if self._says_when(entered) else at + CODE_ENTERED
            yield Entry(max(at, seen), phone, is_verification=True, id=id_)

    def _says_when(self, entered: str) -> bool:
        """Whether a code's column has its time, or only says that it was entered."""
        if DAY_ALONE.match(entered):
            self.said["codes with a day and no hour, taken as entered soon after the message"] += 1
            return False
        return entered.lower() not in YES

    def _at(self, row: Row) -> float:
        """When it was: a time, or a day and an hour in columns of their own."""
        day, hour = self.columns.of(row, "time"), self.columns.of(row, "hour")
        if hour and ":" not in day:
            return self._time(f"{day} {hour}" if HOUR_ALONE.match(hour) else hour)
        return self._time(day)

    def _time(self, text: str) -> float:
        at, has_zone = _moment(text)
        if not has_zone:
            self.said["times without a zone"] += 1
            at = at.replace(tzinfo=self.zone)
        seconds = at.timestamp()
        if not EARLIEST <= seconds <= LATEST:
            raise ValueError("a time before 2000 or after 2100")
        return seconds

    def _phone(self, text: str) -> str:
        if "X" in text or "*" in text or "•" in text:
            raise ValueError("a masked number")
        phone = _number(text, self.region)
        if text[0] != "+":
            self.said[
                "numbers without a +, read as beginning with a calling code (--region GB: of there)"
                if self.region is None
                else f"numbers without a +, taken for those of {self.region} that they are there"
            ] += 1
        return phone

    def _address(self, text: str) -> str | None:
        first = text.partition(",")[0].strip()
        if not first:
            return None
        if parse_address(first) is None:
            self.said["addresses that are none"] += 1
            return None
        return first

    def _price(self, row: Row) -> float | None:
        text = self.columns.of(row, "price")
        if not text:
            return self.usd
        if self.columns.of(row, "currency").upper() not in ("", "USD"):
            self.said["prices in another currency than USD, not used"] += 1
            return None
        try:
            price = abs(float(text))
        except ValueError:
            raise ValueError("a price that is no number") from None
        return price if 0 < price < 1_000 else None


def _moment(text: str) -> tuple[datetime, bool]:
    """A time, and whether it says its zone. Raises `ValueError`."""
    if not text:
        raise ValueError("no time")
    digits = text.replace(".", "", 1)
    if digits.isdecimal() and 9 <= len(text.partition(".")[0]) <= LONGEST_UNIX:
        number = float(text)
        while number > LATEST:
            number /= 1_000
        return datetime.fromtimestamp(number, UTC), True
    if DAY_ALONE.match(text):
        raise ValueError("a day without an hour")
    if match := TWILIO.match(text):
        return datetime.fromisoformat(f"{match[2]}T{match[1]}+00:00"), True
    if match := DOTTED.match(text):
        day, month, year, hour, _ = match.groups()
        return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{hour}"), False
    for read in _iso, _apache, parsedate_to_datetime:
        try:
            at = read(text)
        except (ValueError, IndexError):
            continue
        return at, at.tzinfo is not None
    raise ValueError("a time that cannot be read")


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix(" UTC") + ("Z" * text.endswith(" UTC")))


def _apache(text: str) -> datetime:
    """Without its brackets or with them."""
    return datetime.strptime(text.strip("[]"), APACHE)


@lru_cache(maxsize=100_000)
def _number(text: str, region: str | None) -> str:
    if not text:
        raise ValueError("no number")
    if ROUNDED.match(text):
        raise ValueError("a number that a spreadsheet has rounded")
    if FLOAT.match(text):
        text = text.removesuffix(".0")
    try:
        return canonical(text, None, region, plain_digits=True).e164
    except IntakeError:
        if region is None and NATIONAL.match(text):
            reason = "a number without its calling code; --region GB says of which country it is"
            raise ValueError(reason) from None
        raise ValueError("no telephone number") from None
