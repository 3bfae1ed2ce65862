from __future__ import annotations

import pytest

from attack_harness.benchmark.card.words import compact, shares, span, worded


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (shares(0.0), "0 %"),
        (shares(0.0003), "0.03 %"),
        (shares(0.00001), "< 0.01 %"),
        (shares(0.9251), "92.5 %"),
        (shares(0.9996), "99.96 %"),
        (shares(0.999999), "> 99.99 %"),
        (shares(1.0), "100 %"),
        (compact(0.88), "0.9"),
        (compact(1_234.0), "1,234"),
        (compact(32_100), "32 k"),
        (compact(31e6), "31 M"),
        (span(0.6), "0.6 s"),
        (span(45), "45 s"),
        (span(600), "10 min"),
        (span(12_000), "3 h 20 min"),
        (worded("dollars", -0.5), "-$0.50"),
        (worded("minutes", 30.0), "30 min"),
        (worded("times", 20.0), "20 ×"),
        (worded("share", None), "–"),
    ],
)
def test_figures_read_well(said: str, expected: str) -> None:
    assert said.replace("\xa0", " ") == expected
