"""Which column of an export means what: known formats by name, others guessed by their header.

A guess is shown before anything is decided, and each column can be named by hand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pumpguard.errors import PolicyError

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "time": (
        "messagerequesttimestamp",
        "sent_at", "created_at", "date_created", "sentdate", "date_sent", "publishtimeutc",
        "notification_timestamp", "event_timestamp", "eventtimestamp", "date_received",
        "requested_at", "datecreated", "datesent", "timestamp", "time", "datetime", "date", "at",
        "ts", "time_iso8601", "time_local", "start_utc",
        "gesendet_am", "erstellt_am", "zeitpunkt", "zeitstempel", "datum_uhrzeit", "datum", "zeit",
        "fecha_envio", "fecha_de_envio", "enviado_el", "fecha_hora", "fecha_y_hora", "fecha",
        "date_envoi", "date_d_envoi", "envoye_le", "horodatage", "date_heure", "date_et_heure",
    ),
    "phone": (
        "phone", "phone_number", "phonenumber", "to", "destination", "destinationphonenumber",
        "destination_phone_number", "delivery_destination", "recipient", "msisdn", "mobile",
        "number", "to_number", "channel_data_to",
        "telefon", "telefonnummer", "rufnummer", "handynummer", "mobilnummer", "handy", "empfanger",
        "empfaenger", "telefono", "numero_de_telefono", "movil", "celular", "destinatario",
        "telephone", "numero_de_telephone", "portable", "destinataire",
    ),
    "address": (
        "ip", "ip_address", "client_ip", "clientip", "remote_addr", "source_ip", "user_ip",
        "address", "remote_ip", "request_remote_ip", "client_host", "http_request_remote_ip",
        "ip_adresse", "direccion_ip", "adresse_ip",
    ),
    "verified": (
        "verified_at", "used_at", "confirmed_at", "verified", "verification_status", "approved_at",
        "code_entered_at", "conversion_status", "verifiziert_am", "bestatigt_am", "eingegeben_am",
        "verificado_el", "confirmado_el", "verifie_le", "confirme_le",
    ),
    "price": (
        "price", "priceinusd", "delivery_priceinusd", "totalmessageprice", "total_price", "cost",
        "amount", "price_value",
    ),
    "currency": ("price_unit", "priceunit", "currency", "price_currency"),
    "parts": ("num_segments", "numsegments", "totalparts", "total_parts", "parts", "segments"),
    "part": ("partnumber", "part_number"),
    "id": ("sid", "message_id", "notification_messageid"),
    "status": (
        "status", "deliverystatus", "delivery_status", "messagestatus", "event_type", "eventtype",
        "status_code", "downstream_status", "http_request_status", "http_response_status_code",
    ),
    "direction": ("direction",),
    "final": ("is_final",),
    "session": ("session", "session_id", "sid_session", "device_id"),
    "method": ("method", "request_method", "http_request_method", "http_method"),
    "path": (
        "path", "request_path", "uri", "request_uri", "url", "url_path", "url_original",
        "http_request_request_url",
    ),
    "request": ("request", "request_line"),
}  # fmt: skip
"""What a column may mean, and its names, the best first; compared without case, accents and
punctuation. Not guessed are prices in other languages, which are in other currencies; and no hour
or number that may be another one (``hora``, ``Nummer``)."""

DAYS = ("date", "day", "datum", "tag", "fecha", "dia", "jour")
HOURS = ("time", "hour", "time_of_day", "uhrzeit", "zeit", "hora", "heure")
"""Two columns that are one time together, where both are there."""

SOURCES: Mapping[str, frozenset[str]] = {
    # https://www.twilio.com/docs/messaging/api/message-resource (read 2026-11-26)
    "Twilio's message log": frozenset({"to", "numsegments", "direction", "sid"}),
    # https://www.twilio.com/docs/verify/api/list-verification-attempts (read 2026-11-26)
    "Twilio Verify's attempts": frozenset({"verificationsid", "conversionstatus"}),
    # https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html (read 2026-11-26)
    "AWS SNS's delivery log": frozenset({"notificationtimestamp", "deliverydestination"}),
    # https://docs.aws.amazon.com/sns/latest/dg/sms_stats_usage.html (read 2026-11-26)
    "AWS SNS's daily usage report": frozenset({"publishtimeutc", "priceinusd"}),
    # https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
    # (read 2026-11-27): a message may have several events, of which one is final
    "AWS End User Messaging's events": frozenset({"destinationphonenumber", "eventtype"}),
    # https://developer.vonage.com/en/api/reports (read 2026-11-26)
    "Vonage's report": frozenset({"datereceived", "messageid", "totalprice"}),
}
"""By the columns that only such an export has, without case and punctuation."""

OF_REQUESTS = ("method", "path", "request")
ACCESS_LOG = "an access log"
"""A file without numbers, of requests and where they came from (`pumpguard.replay.requests`)."""

OWN = "pumpguard's own events"
OWN_COLUMNS: Mapping[str, str] = {
    "time": "pumpguard_attempt_at", "phone": "pumpguard_number_e164", "address": "source_ip",
    "price": "pumpguard_price", "session": "pumpguard_attempt_session",
}  # fmt: skip
"""Read by their names alone (`pumpguard.replay.own_events`)."""

NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file: the name as it stands there, by what it means."""

    by: Mapping[str, str]
    source: str = "a file"

    def of(self, row: Mapping[str, str], meaning: str) -> str:
        """The text of a row's column, empty if there is none."""
        name = self.by.get(meaning)
        return "" if name is None else row.get(name, "").strip()

    def told(self, file: str) -> str:
        """What the columns of a file were taken for, a sentence."""
        names = ", ".join(f"{meaning} = {name}" for meaning, name in self.by.items())
        return f"{file} was read as {self.source}: {names}."

    @property
    def only_verifications(self) -> bool:
        """Whether each row is a verification and no message: it has a number and one time, which
        says when a code was entered."""
        return "verified" in self.by and "time" not in self.by


def plain(name: str) -> str:
    """``Sent-Date`` and ``sent_date`` are one name, and so are ``Teléfono`` and ``telefono``."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(each for each in parts if not unicodedata.combining(each))
    return NAMES.sub("_", letters).strip("_")


def guess(
    header: Collection[str], given: Mapping[str, str] | None = None, file: str = "the file"
) -> Columns:
    """What the columns of a header mean; ``given`` names some by hand. Raises `PolicyError` for a
    column that is not there, and where no column has the number or the time."""
    if {"event_dataset", "rule_ruleset", "rule_version"} <= set(header) and not given:
        return Columns({what: name for what, name in OWN_COLUMNS.items() if name in header}, OWN)
    given = given or {}
    known = {plain(name): name for name in reversed(list(header))}
    squeezed = {name.replace("_", ""): original for name, original in known.items()}
    found: dict[str, str] = {}
    for meaning, names in MEANINGS.items():
        if meaning in given:
            name = known.get(plain(given[meaning]))
            if name is None:
                expected = f"a column of {file} ({', '.join(list(header)[:20])})"
                raise PolicyError(f"--{meaning}", expected, given[meaning])
            found[meaning] = name
            continue
        for each in names:
            column = known.get(each, squeezed.get(each.replace("_", "")))
            if column is not None and column not in found.values():
                found[meaning] = column
                break
    day, hour = (next((known[n] for n in names if n in known), "") for names in (DAYS, HOURS))
    if day and hour and "time" not in given and found.get("time") in (day, hour):
        found["time"], found["hour"] = day, hour
    if (
        "phone" not in found
        and {"time", "address"} <= found.keys()
        and ("path" in found or "request" in found)
    ):
        return Columns(found, ACCESS_LOG)
    for meaning in OF_REQUESTS:
        found.pop(meaning, None)
    for meaning in ("phone", "time"):
        if meaning not in found and not (meaning == "time" and "verified" in found):
            expected = (
                f"its column by name: none of {file} looks like it ({', '.join(list(header)[:20])})"
            )
            raise PolicyError(f"--{meaning}", expected)
    there = squeezed.keys()
    source = next((name for name, need in SOURCES.items() if need <= there), "a file")
    if source == "a file":  # whose ids may be numbers of rows, as those of any other table
        found.pop("id", None)
    return Columns(found, source)


def flat(
    found: Mapping[str, Any], above: str = "", depth: int = 0, nothing: str | None = None
) -> dict[str, str]:
    """Objects within objects as one row, without lists; ``nothing`` stands for null, if it is to be
    there."""
    row: dict[str, str] = {}
    for name, value in found.items():
        path = f"{above}_{name}" if above else str(name)
        if value is None:
            value = nothing
        if isinstance(value, dict) and depth < 4:
            row |= flat(value, path, depth + 1, nothing)
        elif value is not None and not isinstance(value, list | dict):
            row[path] = str(value).lower() if isinstance(value, bool) else str(value)
    return row
