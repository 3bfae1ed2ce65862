"""Challenges: what a client can be asked to solve instead of being refused."""

from pumpguard.challenges.altcha import Altcha
from pumpguard.challenges.base import Challenge, Solution
from pumpguard.challenges.captchas import HCaptcha, ReCaptcha, Turnstile

__all__ = ["Altcha", "Challenge", "HCaptcha", "ReCaptcha", "Solution", "Turnstile"]
