"""Challenges: what a client can be asked to solve instead of being refused."""

from pumpguard.challenges.altcha import Altcha
from pumpguard.challenges.base import Challenge, Solution
from pumpguard.challenges.hcaptcha import HCaptcha
from pumpguard.challenges.recaptcha import ReCaptcha
from pumpguard.challenges.turnstile import Turnstile

__all__ = ["Altcha", "Challenge", "HCaptcha", "ReCaptcha", "Solution", "Turnstile"]
