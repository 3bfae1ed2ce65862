"""The document: written and read back, and exact about what it cannot understand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import OverrideError
from pumpguard.overrides.document import OverrideDocument, version_bytes
from pumpguard.overrides.lists import Listing, keyed_hash
from pumpguard.overrides.lookup import Overrides
from pumpguard.overrides.posture import Posture, PostureOverride, Step
from pumpguard.store.overrides import VERSION_BYTES
from pumpguard.testing import make_attempt

TIMES = st.floats(0, 4e9)
WORDS = st.text(st.characters(categories=["L", "N", "Zs"]), max_size=20)
POSTURES = st.sampled_from(Posture)
OVERRIDE = st.builds(
    PostureOverride, posture=POSTURES, author=WORDS, at=TIMES, reason=WORDS,
    until=st.none() | TIMES, then=POSTURES,
)  # fmt: skip
VALUES = [("number", "a1b2"), ("prefix", "+4474"), ("network", "10.0.0.0/8"), ("country", "GB")]
LISTING = st.builds(
    lambda kind, **more: Listing(kind=kind[0], value=kind[1], **more),
    kind=st.sampled_from(VALUES), verdict=st.sampled_from(["allow", "deny"]), shown=WORDS,
    author=WORDS, at=TIMES, reason=WORDS, until=st.none() | TIMES, spends_freely=st.booleans(),
)  # fmt: skip
STEP = st.builds(
    Step, posture=POSTURES, since=TIMES, last_seen=TIMES, calm=st.floats(1, 1e5), code=WORDS
)
DOCUMENTS = st.builds(
    OverrideDocument,
    version=st.integers(1, 2 ** (8 * VERSION_BYTES) - 1),
    postures=st.dictionaries(st.sampled_from(["", "GB", "FR", "+870"]), OVERRIDE),
    step=st.none() | STEP,
    listings=st.lists(LISTING, max_size=5, unique_by=lambda each: each.kind).map(tuple),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


@given(DOCUMENTS)
def test_what_is_written_is_what_is_read(document: OverrideDocument) -> None:
    """All of it."""
    assert OverrideDocument.parse(version_bytes(document.version) + document.encode()) == document


def test_nothing_is_version_nought() -> None:
    """An absent document sets nothing."""
    assert OverrideDocument.parse(b"") == OverrideDocument()
    assert version_bytes(0) == b""


def table(**changes: Any) -> dict[str, Any]:
    order = {"posture": "closed", "author": "mike", "at": 1.0}
    listing = {
        "verdict": "deny", "kind": "network", "value": "10.0.0.0/8", "shown": "10.0.0.0/8",
        "author": "mike", "at": 1.0,
    }  # fmt: skip
    made: dict[str, Any] = {"format": 1, "postures": {"": order}, "listings": [listing]}
    for path, value in changes.items():
        *way, last = path.split("__")
        inner: Any = made
        for name in way:
            inner = inner[int(name) if name.isdecimal() else name.replace("fleet", "")]
        inner[last] = value
    return made


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format: expected 1, got 2"),
        ({"listings": {}}, "listings: expected a list, got {}"),
        ({"postures": []}, "postures: expected a table, got []"),
        ({"postures__fleet__posture": "shut"}, "postures.everywhere.posture: expected one of obs"),
        ({"postures__fleet__at": "now"}, "postures.everywhere.at: expected a number, got 'now'"),
        ({"postures__fleet__autor": "x"}, "postures.everywhere.autor: expected one of"),
        ({"postures__GB": {}}, "postures.GB.posture: expected Posture"),
        ({"listings__0__value": "ten"}, "listings.0.value: expected a CIDR, got 'ten'"),
        ({"listings__0__kind": "city"}, "listings.0.kind: expected one of 'number', 'prefix'"),
        ({"listings__0__until": True}, "listings.0.until: expected a number or nothing"),
        ({"step": 7}, "step: expected a table, got 7"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_path(
    changes: dict[str, Any], said: str
) -> None:
    """As in a policy."""
    assert OverrideDocument.parse(version_bytes(1) + json.dumps(table()).encode()).version == 1
    with pytest.raises(OverrideError) as error:
        OverrideDocument.parse(version_bytes(1) + json.dumps(table(**changes)).encode())
    assert str(error.value).startswith(said)


@given(st.binary(max_size=200) | JSON.map(lambda v: version_bytes(1) + json.dumps(v).encode()))
def test_no_bytes_do_more_than_be_refused(document: bytes) -> None:
    """Whatever is found there: understood, or an `OverrideError`."""
    try:
        OverrideDocument.parse(document)
    except OverrideError:
        return
    assert document == b"" or b"format" in document


@given(DOCUMENTS, st.floats(0, 4e9), st.sampled_from(["+447400123456", "+33612345678"]))
def test_what_is_over_says_nothing(document: OverrideDocument, now: float, phone: str) -> None:
    """With or without what has ended, a document means the same from then on."""
    hashed = keyed_hash("")
    attempt = make_attempt(phone, "10.1.2.3")
    for later in (now, now + 1, now + 1e6):
        whole = Overrides(document, hashed).lookup(attempt, later)
        left = Overrides(document.without_expired(now), hashed).lookup(attempt, later)
        assert whole.posture is left.posture
        assert whole.allowed == left.allowed
        assert whole.enforced == left.enforced


@given(st.lists(LISTING, max_size=6), st.floats(0, 4e9))
def test_of_several_the_one_that_allows_most_counts(listings: list[Listing], now: float) -> None:
    """An exact model: any standing allowance wins, any denial comes second."""
    document = OverrideDocument()
    for each in listings:
        if each.kind != "number":
            document = OverrideDocument(
                listings=(*document.without_listing(each.kind, each.value).listings, each)
            )
    standing = [each for each in document.listings if each.in_force(now)]
    found = Overrides(document, keyed_hash("")).lookup(
        make_attempt("+447400123456", "10.1.2.3"), now
    )
    assert found.allowed == any(each.verdict == "allow" for each in standing)
    assert (found.listing is None) == (not standing)
