"""Which column means what, by the headers that exports have."""

from __future__ import annotations

import unicodedata

import pytest

from pumpguard import PolicyError
from pumpguard.replay.columns import guess


def test_a_log_of_ones_own_is_understood_by_its_header() -> None:
    """Whatever the case and the punctuation."""
    found = guess(["id", "Date Created", "To", "IP", "used_at"])
    assert found.by == {
        "time": "Date Created", "phone": "To", "address": "IP", "verified": "used_at",
    }  # fmt: skip
    assert found.source == "a file"


TWILIO = ("From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,"
          "Price,PriceUnit")  # fmt: skip
SNS = ("notification_messageId", "notification_timestamp", "delivery_destination",
       "delivery_priceInUSD", "delivery_smsType", "status")  # fmt: skip
USAGE = ("PublishTimeUTC", "MessageId", "DestinationPhoneNumber", "MessageType", "DeliveryStatus",
         "PriceInUSD", "PartNumber", "TotalParts")  # fmt: skip
VERIFY = ("sid", "verification_sid", "date_created", "conversion_status", "channel_data_to")


@pytest.mark.parametrize(
    ("header", "source", "phone", "time"),
    [
        (TWILIO.split(","), "Twilio's message log", "To", "SentDate"),
        (SNS, "AWS SNS's delivery log", "delivery_destination", "notification_timestamp"),
        (USAGE, "AWS SNS's daily usage report", "DestinationPhoneNumber", "PublishTimeUTC"),
        (VERIFY, "Twilio Verify's attempts", "channel_data_to", "date_created"),
        (
            ["message_id", "to", "date_received", "total_price", "currency", "status"],
            "Vonage's report",
            "to",
            "date_received",
        ),
    ],
)
def test_what_providers_export_is_known_by_name(
    header: list[str], source: str, phone: str, time: str
) -> None:
    found = guess(header)
    assert (found.source, found.by["phone"], found.by["time"]) == (source, phone, time)


def test_columns_are_named_by_hand_where_the_header_does_not_tell() -> None:
    header = ["wann", "wohin", "ip"]
    found = guess(header, {"time": "wann", "phone": "wohin"})
    assert found.by == {"time": "wann", "phone": "wohin", "address": "ip"}
    with pytest.raises(PolicyError, match=r"--phone: expected a column of the file \(wann, wohin"):
        guess(header, {"time": "wann", "phone": "nach"})


def test_a_header_that_tells_nothing_asks_for_a_name() -> None:
    """Instead of a guess."""
    with pytest.raises(PolicyError, match="--time: expected its column by name: none"):
        guess(["to", "body"])


def test_a_file_of_verifications_has_a_number_and_one_time() -> None:
    """As a database has them; it is joined with the messages of the provider."""
    assert guess(["phone", "verified_at"]).only_verifications
    assert not guess(["phone", "sent_at", "verified_at"]).only_verifications


@pytest.mark.parametrize(
    "header",
    [
        ["Telefonnummer", "Gesendet am", "IP-Adresse", "Bestätigt am"],
        ["Teléfono", "Fecha y hora", "Dirección IP", "Verificado el"],
        ["Téléphone", "Date d'envoi", "Adresse IP", "Vérifié le"],
    ],
)
def test_headers_in_other_languages_are_understood(header: list[str]) -> None:
    """With their accents, however these are encoded."""
    for form in ("NFC", "NFD"):
        spelt = [unicodedata.normalize(form, each) for each in header]
        by = dict(zip(("phone", "time", "address", "verified"), spelt, strict=True))
        assert guess(spelt).by == by


@pytest.mark.parametrize(
    ("header", "time", "hour"),
    [
        (["date", "time", "phone"], "date", "time"),
        (["Datum", "Uhrzeit", "Telefon"], "Datum", "Uhrzeit"),
        (["Fecha", "Hora", "Teléfono"], "Fecha", "Hora"),
        (["sent_at", "time", "phone"], "sent_at", None),
        (["created_at", "date", "time", "phone"], "created_at", None),
        (["time", "phone"], "time", None),
    ],
)
def test_a_day_and_an_hour_in_two_columns_are_one_time(
    header: list[str], time: str, hour: str | None
) -> None:
    """Unless another column has the whole of it."""
    found = guess(header).by
    assert (found["time"], found.get("hour")) == (time, hour)
    assert "hour" not in guess(header, {"time": time}).by


def test_only_a_providers_id_is_one() -> None:
    """In a table of one's own it may be any number."""
    assert guess(TWILIO.split(",")).by["id"] == "Sid"
    assert guess(USAGE).by["id"] == "MessageId"
    assert guess(SNS).by["id"] == "notification_messageId"
    assert "id" not in guess(["id", "message_id", "to", "sent_at"]).by
