"""Proof of work: what solves it, and everything that does not."""

from __future__ import annotations

import random
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision, Finding, PolicyError
from pumpguard.challenges import Altcha, Solution
from pumpguard.challenges.altcha import MAX_TRIES, TRIES
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt
from tests.challenges.solving import SECRET, easy, policy, posed, read, solution_of, spelt

HOME = make_attempt("+447400123456", "81.2.69.142")
CHALLENGE = easy(lifetime=86_400)
SOLUTION = solution_of(posed(CHALLENGE, HOME))
"""One that is good for longer than the suite takes, for all tests that only look at it."""


def solved(said: str, challenge: Altcha = CHALLENGE) -> Solution | bool:
    """Whether this is a solution, for the attempt that it was made for."""
    return challenge.solved(said, HOME)


# What passes


def test_a_solution_passes_and_has_a_name() -> None:
    """Another challenge, for the very same attempt, has another."""
    other = solution_of(posed(CHALLENGE, HOME))
    names = [solved(said) for said in (SOLUTION, SOLUTION, other)]
    assert all(isinstance(name, Solution) for name in names)
    assert names[0] == names[1] != names[2]


def test_it_fits_into_a_header() -> None:
    assert len(SOLUTION) < 1_100 < Altcha.longest


@pytest.mark.parametrize("time", [0, 740, 740.1999999999971, 12345.5])
def test_how_long_it_took_may_be_said_and_means_nothing(time: float) -> None:
    """ALTCHA's widget says it. It is still the same solution."""
    said = read(SOLUTION)
    said["solution"]["time"] = time
    assert solved(spelt(said)) == solved(SOLUTION)


def test_every_process_with_the_secret_knows_it() -> None:
    assert solved(SOLUTION, easy(policy())) == solved(SOLUTION)
    assert solved(SOLUTION, easy(policy(secret=""), secret=SECRET)) == solved(SOLUTION)


# What does not


@given(at=st.integers(0, len(SOLUTION) - 1), flip=st.integers(1, 255))
def test_no_byte_flip_passes(at: int, flip: int) -> None:
    """Not one that only changes padding bits, either."""
    changed = SOLUTION[:at] + chr(ord(SOLUTION[at]) ^ flip) + SOLUTION[at + 1 :]
    assert solved(changed) is False


@given(data=st.data())
def test_no_change_of_what_it_says_passes(data: st.DataObject) -> None:
    """Spelt as it has to be, and one character of one value is another."""
    said = read(SOLUTION)
    parts = [said["challenge"], said["challenge"]["parameters"], said["solution"]]
    parts.append(parts[1]["data"])
    part = data.draw(st.sampled_from(parts))
    name = data.draw(st.sampled_from([k for k, v in part.items() if not isinstance(v, dict)]))
    before = part[name]
    if isinstance(before, int):
        part[name] = data.draw(st.integers(-(2**33), 2**70) | st.floats() | st.booleans())
    else:
        at = data.draw(st.integers(0, len(before) - 1))
        part[name] = before[:at] + data.draw(st.characters()) + before[at + 1 :]
    if repr(part[name]) != repr(before):
        assert solved(spelt(said)) is False


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(more=1),
        lambda said: said["challenge"].update(more=1),
        lambda said: said["challenge"]["parameters"].update(more=1),
        lambda said: said["challenge"]["parameters"].update(expiresAt=2**40),
        lambda said: said["challenge"]["parameters"].pop("keySignature"),
        lambda said: said["challenge"]["parameters"].pop("data"),
        lambda said: said["challenge"]["parameters"]["data"].update(more=1),
        lambda said: said["challenge"].pop("signature"),
        lambda said: said["challenge"].update(signature=None),
        lambda said: said["solution"].update(derivedKey=said["solution"]["derivedKey"].upper()),
        lambda said: said["solution"].update(counter=str(said["solution"]["counter"])),
        lambda said: said.update(solution=[]),
        lambda said: said.update(challenge="x"),
    ],
)
def test_no_other_members_pass(change: Any) -> None:
    said = read(SOLUTION)
    change(said)
    assert solved(spelt(said)) is False


@pytest.mark.parametrize("name", ["cost", "keyLength"])
def test_a_number_with_a_point_is_no_solution(name: str) -> None:
    """It is signed as the whole number is, and no hash takes it."""
    said = read(SOLUTION)
    said["challenge"]["parameters"][name] = float(said["challenge"]["parameters"][name])
    assert solved(spelt(said)) is False


@pytest.mark.parametrize("time", [1, 12, 123])
def test_padding_has_one_spelling(time: int) -> None:
    """The last character of base64 has bits that decoders ignore."""
    said = read(SOLUTION)
    said["solution"]["time"] = time
    right = spelt(said)
    assert solved(right)
    for last in set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):
        end = right.rstrip("=")
        changed = end[:-1] + last + right[len(end) :]
        assert changed == right or solved(changed) is False
    assert solved(right.rstrip("=") + "====") is False


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"counter":', b'"counter": '),
        (b'{"challenge"', b' {"challenge"'),
        (b'"solution":{', b'"solution":{"counter":1,'),
        (b'"data":{', b'"\\u0064ata":{'),
    ],
)
def test_json_has_one_spelling(before: bytes, after: bytes) -> None:
    """No blanks, no repeated names, no escapes: all of them mean the same to the library."""
    raw = b64decode(SOLUTION)
    assert before in raw
    assert solved(b64encode(raw.replace(before, after)).decode()) is False


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_whatever_else_is_sent_is_no_solution(said: str) -> None:
    assert solved(said) is False


@pytest.mark.parametrize("payload", ["", "null", "[" * 3_000, "{}", '"x"', "1e999", "NaN"])
def test_json_that_is_no_payload_is_no_solution(payload: str) -> None:
    assert solved(b64encode(payload.encode()).decode()) is False


def test_a_challenge_without_its_work_is_no_solution() -> None:
    """Known parameters and a good signature are not enough; nor is another challenge's key."""
    said, other = read(SOLUTION), posed(CHALLENGE, HOME)
    assert solved(spelt({**said, "challenge": other["challenge"]})) is False
    for counter in range(40):
        said["solution"] = {"counter": counter, "derivedKey": "00" * 32}
        assert solved(spelt(said)) is False


@given(
    phone=st.sampled_from(["+447400123456", "+447400123457"]),
    address=st.sampled_from(["81.2.69.142", "81.2.69.143", "2001:db8::1", None]),
    name=st.sampled_from(["default", "other"]),
    secret=st.sampled_from([SECRET, SECRET + "!"]),
    later=st.sampled_from([0, 299, 300, 301, 10_000]),
)
def test_it_is_good_for_one_number_one_network_one_policy_and_some_minutes(
    phone: str, address: str | None, name: str, secret: str, later: int
) -> None:
    clock = FakeClock()
    said = solution_of(posed(easy(clock=clock), HOME))
    clock.advance(later)
    judging = easy(policy(name=name, secret=secret), clock=clock)
    right = (phone, address, name, secret) == (
        *("+447400123456", "81.2.69.142", "default", SECRET),
    )
    assert bool(judging.solved(said, make_attempt(phone, address))) is (right and later < 300)


def test_a_neighbour_in_the_same_ipv6_network_is_the_same_client() -> None:
    said = solution_of(posed(CHALLENGE, make_attempt(address="2001:db8::1")))
    assert CHALLENGE.solved(said, make_attempt(address="2001:db8::ffff"))
    assert not CHALLENGE.solved(said, make_attempt(address="2001:db8:0:1::1"))


def test_clients_whose_address_is_unknown_can_solve_it_too() -> None:
    nobody = make_attempt(address=None)
    assert CHALLENGE.solved(solution_of(posed(CHALLENGE, nobody)), nobody)


# How much work it is


@pytest.mark.parametrize(
    ("score", "price", "tries"),
    [
        (1.0, 0.01, TRIES),
        (1.0, 0.05, TRIES),
        (1.99, 0.05, TRIES),
        (2.0, 0.05, 2 * TRIES),
        (1.0, 0.10, 2 * TRIES),
        (4.0, 0.05, 4 * TRIES),
        (1e9, 9.0, MAX_TRIES),
        (float("inf"), 0.05, MAX_TRIES),
        (0.1, 0.0, TRIES),
    ],
)
def test_it_grows_with_risk_and_price(score: float, price: float, tries: int) -> None:
    """In doublings, between two bounds."""
    assert Altcha(policy()).tries(score, price) == tries


def test_a_price_that_nobody_knows_is_the_dearest() -> None:
    challenge = Altcha(policy())
    assert challenge.tries(1.0, None) == challenge.tries(1.0, policy().price_table.unknown)


@given(st.floats(0, 1e6), st.floats(0, 100), st.floats(1, 1e3))
def test_it_is_never_less_for_more(score: float, price: float, factor: float) -> None:
    challenge = Altcha(policy())
    base = challenge.tries(score, price)
    assert TRIES <= base <= challenge.tries(score * factor, price) <= MAX_TRIES
    assert base <= challenge.tries(score, price * factor) <= MAX_TRIES


def test_the_right_counter_may_be_any_below_the_bound() -> None:
    """All are as likely: starting elsewhere than at zero gains nothing."""
    counters = [
        read(solution_of(posed(easy(tries=8, max_tries=8), HOME)))["solution"]["counter"]
        for _ in range(200)
    ]
    assert set(counters) == set(range(8))


def test_what_is_posed_tells_neither_number_nor_reason() -> None:
    """Two challenges for a cheap harmless and a dear doubtful request differ in random bytes."""
    dear = Decision(
        make_attempt(price=1.0), Action.CHALLENGE, (Finding("r", Action.CHALLENGE, "R", weight=9),)
    )
    cheap = Decision(make_attempt(price=0.01), Action.CHALLENGE)
    for decision in (dear, cheap):
        parameters: Any = CHALLENGE.pose(decision)["challenge"]
        parameters = parameters["parameters"]
        assert (parameters["cost"], parameters["algorithm"]) == (250, "PBKDF2/SHA-256")
        assert len(parameters["keyPrefix"]) == 32
        assert parameters["data"].keys() == {"for", "until"}
    assert CHALLENGE.pose(dear).keys() == {"kind", "challenge"}


def test_two_challenges_share_nothing_that_was_random() -> None:
    one, other = (posed(CHALLENGE, HOME)["challenge"]["parameters"] for _ in range(2))
    for name in ("nonce", "salt", "keyPrefix", "keySignature"):
        assert one[name] != other[name]
    assert one["data"]["for"] == other["data"]["for"]


# How it is set up


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"secret": ""}, "secret"),
        ({"secret": "fifteen letters"}, "secret"),
        ({"tries": 0}, "challenge.tries"),
        ({"tries": 10, "max_tries": 9}, "challenge.tries"),
        ({"max_tries": 2**32}, "challenge.tries"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], path: str) -> None:
    """A short secret could be guessed from what it has signed."""
    with pytest.raises(PolicyError, match=f"^{path}: "):
        Altcha(policy(), **settings)


def test_a_policy_without_a_secret_signs_nothing() -> None:
    with pytest.raises(PolicyError, match=r"^secret: .* 16 characters"):
        Altcha(policy(secret=""))


def test_randomness_does_not_come_from_a_seed() -> None:
    """Whoever seeds Python's generator does not choose the counters."""
    counters = set()
    for _ in range(6):
        random.seed(1)
        said = posed(easy(tries=10_000, max_tries=10_000), HOME)
        counters.add(said["challenge"]["parameters"]["keyPrefix"])
    assert len(counters) == 6


def test_a_simulation_may_have_both() -> None:
    """Who is human by a header, and who has solved what was posed."""
    challenge = easy()
    both = SimulatedHuman(challenge)
    assert both.solved("1", HOME) is True
    assert both.solved("2", HOME) is False
    assert isinstance(both.solved(solution_of(posed(challenge, HOME)), HOME), Solution)
