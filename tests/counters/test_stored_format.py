"""What is kept in Redis is what 0.1.0 keeps there: a rolling deploy loses no counter."""

from __future__ import annotations

import pytest

from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.counters.scenarios import SCENARIOS, segments

KEPT: dict[str, dict[str, str]] = {
    "log": {
        "83d3 ccc0cf": "018bcfe56800018bcfe56be8",
    },
    "two windows of one log": {
        "83d3 5a2743": "018bcfe56800018bcfe56be8",
    },
    "attempts": {
        "83d3 ba328b": "018bcfe56800018bcfe56be8",
    },
    "headroom": {
        "9692 891bb6": "00000000000007d04cdb",
        "9692 cf7db8": "018bcfe56800018bcfe56be8",
    },
    "slices": {
        "83d3 8997a1": "000010e352d50000000000020002(20)",
    },
    "wide slices": {
        "83d3 8997a1": "000010e352d500000000000200000002(40)",
    },
    "headroom in slices": {
        "83d3 8997a1": "000010e352d50000000000020002(20)",
    },
    "distinct": {
        "8f4e 4479ad": "018bcfe56be84acf5fa1",
    },
    "neighbours": {
        "080d 088f28": "018bcfe5680004d2018bcfe56be804d2",
    },
    "strikes": {
        "8f4e ce42fe": "00000000000000018bcfe56800018bcfe56be8",
    },
    "ban": {
        "8f4e ce42fe": "018bcfe592f801",
    },
    "strikes in slices": {
        "8f4e dec8b6": "(9)10e352d50000000000020002(20)",
    },
    "spend": {
        "bfe8 58d041": "00000a21fe800000000036b00000000036b0(60)",
    },
    "credit": {
        "3b61 236563": "00000000364c00006553f1010000000000004cdb",
    },
    "conversion": {
        "0f69 a0b17c": "(16)0206cc80010002000000000000",
    },
    "trust": {
        "9692 891bb6": "00000000000007d04cdb",
    },
    "spike": {
        "bfe8 f09488": "0007349e(11)020001b05515000002(27)",
    },
    "spike of attempts": {
        "bfe8 e4c222": "0007349e(11)020001b05515000002(27)",
    },
    "retyped": {
        "9692 c35669": "da8a21d3018bcfe56be8000000000000",
    },
    "tickets": {
        "aa9e 78fd2f": "61626364018bcfe56800000000001b58(20)61626364018bcfe56be8000000001b58(20)",
    },
    "sent": {
        "0f69 a0b17c": "(16)0206cc80010002000000000000",
        "3b61 236563": "00000000364d00006553f1010000000000004cdb",
        "aa9e 78fd2f": "00000000018bcfe56800000000001b588b0a000e5504dcae9692(10)"
        "01010101018bcfe56be8000000001b598b0a000e5504dcae9692(10)",
        "bfe8 58d041": "00000a21fe800000000036b10000000036b1(60)",
        "bfe8 ba6e12": "000000000000018bcfe568(9)018bcfe56be8(9)0360aa2a000200000000",
    },
    "verified": {
        "0f69 a0b17c": "(16)0206cc800100000001000008ff00be72fa04d2",
        "3b61 236563": "(8)6553f114000000001b594cdb000000001b59",
        "aa9e 3bb50c": "018d9f620e20018bcfe5b620",
        "bfe8 58d041": "00000a21fe800000000036b10000000036b1(60)",
        "bfe8 ba6e12": "0001000003e8018bcfe5b620(8)018bcfe5b620(9)0360aa2b000000000000",
    },
    "failed": {
        "0f69 a0b17c": "(16)0206cc80010001000000000000",
        "3b61 236563": "000000000fa000006553f11e0000000000004cdb",
        "aa9e 78fd2f": "00000000018bcfe56800000000001b588b0a000e5504dcae9692(10)",
        "bfe8 41b728": "000000480e2e000000001b59000000001b59(60)",
        "bfe8 58d041": "00000a21fe83000000001b58(22)1b58(42)",
        "bfe8 ba6e12": "000000000000018bcfe568(9)018bcfe5dd30(9)0360aa2b000000010000",
    },
    "trusted": {
        "0f69 a0b17c": "(16)0206cc800000c800000000",
        "9692 891bb6": "000003e8000003e84cdb",
        "aa9e 3bb50c": "018d9f620e20018bcfe5b620",
    },
}
"""Recorded with 0.1.0: the end of the subject's key and the counter's id, then what is stored, with
the length of each longer run of zeros."""


@pytest.mark.parametrize("what", SCENARIOS)
async def test_every_kind_keeps_ids_and_bytes(valkey_url: str, name: str, what: str) -> None:
    """An id is a hash of the counter's identity, so this pins those as well."""
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)
    await SCENARIOS[what](store)
    await store.aclose()
    assert await segments(valkey_url, name) == KEPT.get(what)
