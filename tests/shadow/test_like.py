"""``like``: what a provider returns, without asking it."""

from __future__ import annotations

import re
import uuid

import pytest

from pumpguard import like
from pumpguard.errors import PolicyError
from pumpguard.shadow.stand_in import ALPHABETS


def test_places_are_filled_anew_each_time_and_the_rest_stays() -> None:
    shadowed = like({"sid": "SM{hex:32}", "parts": [1, "{uuid}"], "status": "queued"})
    first, second = shadowed("+447400123456"), shadowed("+447400123457", text="!")
    assert re.fullmatch("SM[0-9a-f]{32}", first["sid"])
    assert uuid.UUID(first["parts"][1]).version == 4
    assert (first["parts"][0], first["status"]) == (1, "queued")
    assert first["sid"] != second["sid"]
    assert first["parts"][1] != second["parts"][1]


@pytest.mark.parametrize("name", ALPHABETS)
def test_every_alphabet_by_name_and_length(name: str) -> None:
    made = like(f"{{{name}:200}}")()
    assert len(made) == 200
    assert set(made) <= set(ALPHABETS[name])
    assert len(set(made)) > 5


@pytest.mark.parametrize("template", ["{hex}", "{hax:8}", ["{uuid:4}"]])
def test_what_is_not_understood_is_refused_at_once(template: object) -> None:
    with pytest.raises(PolicyError, match="shadowed"):
        like(template)


def test_tuples_stay_tuples_and_other_things_themselves() -> None:
    assert like((1, None, "sent"))() == (1, None, "sent")


def test_items_are_attributes_too() -> None:
    """For an app that reads what a provider's objects have."""
    made = like({"sid": "SM{hex:32}", "parts": {"count": 1}})()
    assert made.sid == made["sid"]
    assert made.parts.count == 1
    with pytest.raises(AttributeError, match="price"):
        made.price  # noqa: B018 - reading it is what raises
