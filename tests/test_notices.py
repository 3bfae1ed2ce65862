"""Notices: what an operator should know is said at once, and then once an hour."""

from __future__ import annotations

import logging

import pytest

from pumpguard.notices import INTERVAL, MAX_REMEMBERED, Notices
from pumpguard.testing import FakeClock


def test_the_same_is_said_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """The same is the same code about the same thing, whatever else the line says."""
    clock = FakeClock()
    notices = Notices(clock)
    assert notices.say("PG999", "/otp/send", "%d requests", 20)
    assert not notices.say("PG999", "/otp/send", "%d requests", 21)
    assert notices.say("PG999", "/other", "%d requests", 20, level=logging.ERROR)
    clock.advance(INTERVAL)
    assert notices.say("PG999", "/otp/send", "%d requests", 900)
    assert [record.getMessage() for record in caplog.records] == [
        "PG999 20 requests",
        "PG999 20 requests",
        "PG999 900 requests",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "WARNING"]


def test_what_is_remembered_is_bounded() -> None:
    """Whoever makes it say ever different things makes it forget, and fills no memory."""
    notices = Notices(FakeClock())
    for i in range(3 * MAX_REMEMBERED):
        assert notices.say("PG999", str(i), "once")
    assert len(notices._said) <= MAX_REMEMBERED


def test_what_was_said_last_can_be_shown() -> None:
    """Each once, the newest first, and how long ago it was."""
    clock = FakeClock()
    notices = Notices(clock)
    notices.say("PG999", "/otp/send", "%d requests", 20)
    clock.advance(INTERVAL)
    notices.say("PG998", "/verify", "none of 100 % was read")
    notices.say("PG999", "/otp/send", "%d requests", 900)
    clock.advance(60)
    shown = [(ago, notice.code, notice.text) for ago, notice in notices.latest(20)]
    assert shown == [(60, "PG999", "900 requests"), (60, "PG998", "none of 100 % was read")]
    assert len(notices.latest(1)) == 1
