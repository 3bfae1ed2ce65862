"""Which answers of an app say that a message went out."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Policy, PolicyError
from pumpguard.intake.conditions import SentWhen


@pytest.mark.parametrize(
    ("setting", "says", "says_not"),
    [
        (("2xx", 302, 303), (200, 202, 204, 302, 303), (307, 308, 404, 503)),
        ("2xx", (200, 299), (199, 302, 303, 404)),
        (202, (202,), (200, 201)),
        ((200, "3xx"), (200, 301, 307), (201, 400)),
        ("sender", (200, 303), (307, 422)),
    ],
)
def test_statuses_say_it(setting: Any, says: tuple[int, ...], says_not: tuple[int, ...]) -> None:
    """One, several, or whole classes; with `sender` none of these says that there was none."""
    statuses = SentWhen(setting).statuses
    assert all(status in statuses for status in says)
    assert not any(status in statuses for status in says_not)


def test_a_form_is_answered_by_a_redirect_to_the_next_page() -> None:
    """So by default 302 and 303 say that it was sent, and 307 that the client asks again."""
    assert {200, 202, 302, 303} <= SentWhen().statuses
    assert not {301, 307, 308, 401, 422, 500} & SentWhen().statuses


@pytest.mark.parametrize(
    "setting", ["", "6xx", "ok", "200x", "2xxx", "204-200", 99, 600, True, (), ("2xx", None), 2.5]
)
def test_what_says_nothing_is_refused(setting: Any) -> None:
    """With the path of the setting."""
    with pytest.raises(PolicyError) as caught:
        Policy(send="/s", sent_when=setting)
    assert caught.value.path == "sent_when"


def test_a_policy_file_says_it_too() -> None:
    """As a list, or as a word."""
    assert Policy.from_toml('send = "/s"\nsent_when = [200, "3xx"]\n').sent_when == (200, "3xx")
    assert Policy.from_toml('send = "/s"\nsent_when = "sender"\n').sent_when == "sender"
