"""The example app behind one way of refusing: ``uvicorn --factory …:create``.

``TELL_APART_DEFENCE`` is one of `DEFENCES`: a shadow that is to be indistinguishable, and two ways
that are not, by which it is known that whoever compares can see.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fastapi import FastAPI

from examples.target_app.app import create_app
from examples.target_app.otp import SendSms
from examples.target_app.protection import Guarded
from examples.target_app.settings import Settings
from pumpguard.shadow.latency import LatencyModel, SendTiming

SHADOW, REFUSED, INSTANT = "shadow", "429", "instant"
DEFENCES = (SHADOW, REFUSED, INSTANT)

POLICY = Path(__file__).with_name("policy.toml")
DEFENCE, LATENCY = "TELL_APART_DEFENCE", "TARGET_APP_LATENCY"


def create() -> FastAPI:
    """Build the app for the defence that the environment names."""
    defence = os.environ[DEFENCE]
    latency = Settings.from_environment({LATENCY: os.environ[LATENCY]}).latency
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.toml"
        file.write_text(policy(defence), encoding="utf-8")
        settings = Settings(policy_file=file, latency=latency)
        return create_app(settings, (Instant if defence == INSTANT else Guarded)(settings))


def policy(defence: str) -> str:
    """The policy of a defence."""
    text = POLICY.read_text(encoding="utf-8")
    if defence == REFUSED:
        return text.replace('action = "shadow"', 'action = "throttle"')
    return text


class NoLatency(LatencyModel):
    """A shadow without any thought of time."""

    def draw(self, country: str | None) -> SendTiming:
        """Silent at once."""
        return SendTiming(0.0)


class Instant(Guarded):
    """What a shadow is without any thought of time."""

    def sender(self, send: SendSms) -> SendSms:
        """Silent at once."""
        return self.guard.sender(send, shadowed=None, latency=NoLatency())
