"""Scores from outside: what somebody else knows about a number, asked where it can change much."""

from pumpguard.scores.base import Score
from pumpguard.scores.lookup import LookupScore

__all__ = ["LookupScore", "Score"]
