"""What is shown of a subject."""

from __future__ import annotations

import pytest

from pumpguard.masking import Block, masked


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        (None, None),
        ("everything", "everything"),
        ("GB", "GB"),
        ("+870", "+870"),
        ("+447400123456", "+4474••••••••"),
        ("+4474001", "+4474•••"),
        (Block("+8801712"), "+8801712"),
        ("203.0.113.7", "203.0.113.•"),
        ("2001:db8:1:2::/64", "2001:db8:1:•"),
        ("alice@example.com", "•" * 17),
        ("13:+4474001234562:GB", "•" * 20),
    ],
)
def test_what_is_left(subject: str | None, shown: str | None) -> None:
    """Enough to know where to look, and nobody's name."""
    assert masked(subject) == shown
