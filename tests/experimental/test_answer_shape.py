"""The shape of answers: what strangers were all told is kept, everything else is made anew."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.experimental.answer_shape import Answered, Asked, shape_of, skeleton

NOW = 1_700_000_000.0
ASKED = Asked(NOW + 1_000, "77011234567", "7011234567")
ANSWERS = 12
NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Gwen", "Hal", "Ida", "Jo", "Kim", "Lee")


def said(text: str, n: int) -> Answered:
    """What the nth stranger was answered."""
    national = f"74001{n * 7919 % 100_000:05}"
    return Answered(text, NOW + n, f"44{national}", national)


def made(*texts: str) -> str | None:
    """A text in the shape of these, if they have one."""
    make = shape_of([said(text, n) for n, text in enumerate(texts)])
    return make(ASKED) if make else None


def answers(make: Any) -> list[str]:
    """As many answers as strangers."""
    return [make(n) for n in range(ANSWERS)]


def test_what_never_changes_is_kept() -> None:
    assert made(*answers(lambda _: '{"status": "sent"}')) == '{"status": "sent"}'


RANDOM = random.Random(3)

IDS: dict[str, tuple[Callable[[], str], str]] = {
    "hex": (lambda: f"{RANDOM.getrandbits(64):016x}", "[0-9a-f]{16}"),
    "HEX": (lambda: f"{RANDOM.getrandbits(64):016X}", "[0-9A-F]{16}"),
    "begun": (lambda: f"SM{RANDOM.getrandbits(64):016x}", "SM[0-9a-f]{16}"),
    "digits": (lambda: f"{RANDOM.randrange(10**11, 10**12)}", "[1-9][0-9]{11}"),
    "base62": (
        lambda: "".join(RANDOM.choices("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", k=22)),
        "[0-9A-Za-z]{22}",
    ),
    "uuid": (lambda: str(uuid.UUID(int=RANDOM.getrandbits(128), version=4)), "[0-9a-f-]{36}"),
}


@pytest.mark.parametrize("kind", IDS)
def test_an_id_is_another_of_its_alphabet_and_length(kind: str) -> None:
    make, pattern = IDS[kind]
    texts = [f'{{"id": "{make()}", "n": 300}}' for _ in range(ANSWERS)]
    text = made(*texts)
    assert text is not None
    assert re.fullmatch(pattern, json.loads(text)["id"])
    assert text not in texts
    assert made(*texts) != text
    if kind == "uuid":
        assert uuid.UUID(json.loads(text)["id"]).version == 4


MOMENTS: dict[str, tuple[Callable[[float], str], Callable[[str], float]]] = {
    "epoch": (lambda at: f"{int(at)}", lambda text: float(text)),
    "milliseconds": (lambda at: f"{int(at * 1000)}", lambda text: float(text) / 1000),
    "iso": (
        lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda text: datetime.fromisoformat(text).timestamp(),
    ),
    "python": (
        lambda at: datetime.fromtimestamp(at + 0.25, UTC).isoformat(),
        lambda text: datetime.fromisoformat(text).timestamp(),
    ),
    "http": (
        lambda at: format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True),
        lambda text: (
            datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()
        ),
    ),
}


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_moment_is_as_far_from_its_answer_as_it_was(kind: str) -> None:
    """Such as ``expires_at``, five minutes ahead."""
    write, read = MOMENTS[kind]
    texts = answers(lambda n: f'"{write(NOW + n + 300)}"')
    text = made(*texts)
    assert text is not None
    assert read(text.strip('"')) == pytest.approx(ASKED.at + 300, abs=2)
    assert len(text) == len(texts[0])


def test_the_number_itself_is_the_one_that_was_asked_for() -> None:
    def answer(n: int) -> str:
        each = said("", n)
        return f"+{each.digits} 0{each.national} {each.national} ••••{each.digits[-2:]}"

    assert made(*answers(answer)) == "+77011234567 07011234567 7011234567 ••••67"


def test_rows_of_a_table_go_on_counting() -> None:
    text = made(*answers(lambda n: f'{{"id": {5_000 + 3 * n}}}'))
    assert text == f'{{"id": {5_000 + 3 * ANSWERS}}}'


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: f"Hello {NAMES[n]}",
        lambda n: f'"{"sms" if n % 3 else "whatsapp"}"',
        lambda n: f"Hello {NAMES[n]}{NAMES[n - 1]}{NAMES[n - 2]}",
        lambda n: f'"ends in {n % 7}"',
        lambda n: f"session=eyJ{n:02}hbGciOiJIUzI1NiJ9zdWIiOiIxMjM0NTY3ODkw",
        lambda n: f"x{said('', n).national}y",
        lambda n: str(uuid.UUID(int=n * 10**20, version=1)),
    ],
    ids=[
        "names",
        "channels",
        "long names",
        "short",
        "signed tokens",
        "numbers inside",
        "UUIDs of a time",
    ],
)
def test_what_is_not_understood_is_not_made(answer: Any) -> None:
    """Better no answer than a strange one, or somebody's."""
    assert made(*answers(answer)) is None


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4, max_size=24)


@given(
    st.lists(st.tuples(WORDS, WORDS), min_size=8, max_size=16, unique_by=(lambda t: t[0],)),
    st.sampled_from(['{"name": "%s", "of": "%s"}', "a=%s; b=%s; Path=/", "%s-%s"]),
)
def test_nothing_that_one_client_was_told_is_told_to_another(
    values: list[tuple[str, str]], form: str
) -> None:
    """Whatever values answers had: those that differed are in no answer that is made."""
    texts = [form % pair for pair in values]
    if len({skeleton(text) for text in texts}) > 1:
        return
    text = made(*texts)
    if text is None:
        return
    for place in range(2):
        column = {pair[place] for pair in values}
        if len(column) > 1:
            for value in column:
                assert value not in re.findall(r"[A-Za-z0-9]+", text)


@given(st.lists(st.text(max_size=30), min_size=8, max_size=10))
def test_any_texts_at_all_make_a_text_of_their_skeleton_or_none(texts: list[str]) -> None:
    if len({skeleton(text) for text in texts}) == 1:
        text = made(*texts)
        assert text is None or skeleton(text) == skeleton(texts[0])
