"""Attacks in a log, found with hindsight: when, where, and what they cost."""

from __future__ import annotations

import random

from pumpguard.replay.episodes import find
from pumpguard.replay.journal import Played

NOON = 1_777_896_000.0
HOUR = 3_600.0
Priced = tuple[Played, float]


def message(at: float, phone: str, verified: bool, price: float = 0.25) -> Priced:
    return Played(0, at, phone, None, None, None, True, False, verified), price


def people(hours: int, an_hour: int, share: float = 0.75, seed: int = 1) -> list[Priced]:
    """British users, of whom so many enter their codes."""
    draw = random.Random(seed)
    return [
        message(NOON + draw.uniform(0, hours * HOUR), f"+4474{draw.randrange(10**8):08}",
                draw.random() < share)
        for _ in range(hours * an_hour)
    ]  # fmt: skip


def bots(
    start: float, minutes: int, a_minute: int, entered: float = 0.0, country: str = "+99455"
) -> list[Priced]:
    """An attack on Azerbaijani numbers, unless others are named."""
    draw = random.Random(2)
    return [
        message(start + n * 60 / a_minute, f"{country}{draw.randrange(10**7):07}",
                draw.random() < entered)
        for n in range(minutes * a_minute)
    ]  # fmt: skip


def found(*parts: list[Priced]) -> list[tuple[int, int, float]]:
    """Start and end in minutes after noon, and dollars."""
    entries = sorted((each for part in parts for each in part), key=lambda pair: pair[0].at)
    return [
        (round((e.start - NOON) / 60), round((e.end - NOON) / 60), round(e.usd, 2))
        for e in find(entries)
    ]


def test_a_day_of_people_has_no_episode() -> None:
    """Few or many, of whom a quarter or nearly half enter nothing."""
    for an_hour in (5, 60, 600):
        for share in (0.6, 0.75, 0.9):
            assert found(people(24, an_hour, share)) == []


def test_a_block_whose_numbers_are_all_users_has_none_either() -> None:
    """As in a small country: 14,400 messages a day to 10,000 numbers."""
    crowded = [
        (entry._replace(phone=f"+35461{entry.phone[-5:]}"), price)
        for entry, price in people(24, 600)
    ]
    assert found(crowded) == []


def test_an_attack_is_found_with_its_ends_and_its_cost() -> None:
    ((start, end, usd),) = found(people(24, 100), bots(NOON + 5 * HOUR, 30, 20))
    assert abs(start - 300) <= 1
    assert abs(end - 330) <= 1
    assert 150 <= usd <= 155


def test_a_slow_attack_is_found_too() -> None:
    """Two messages a minute, all day."""
    ((start, end, _),) = found(people(24, 100), bots(NOON, 24 * 60, 2))
    assert (start, end) == (0, 1_440)


def test_bots_that_enter_a_third_of_their_codes_are_found() -> None:
    ((start, end, _),) = found(people(24, 100), bots(NOON + 5 * HOUR, 120, 20, entered=1 / 3))
    assert abs(start - 300) <= 5
    assert abs(end - 420) <= 5


def test_an_attack_that_pauses_is_one_and_two_attacks_are_two() -> None:
    """The same countries within six hours are told as one attack."""
    first, later = bots(NOON + 2 * HOUR, 20, 20), bots(NOON + 4 * HOUR, 20, 20)
    ((start, end, usd),) = found(people(24, 100), first, later)
    assert (start, end) == (120, 260)
    assert 200 <= usd <= 205
    others = bots(NOON + 4 * HOUR, 20, 20, country="+99290")
    assert [(start, end) for start, end, _ in found(people(24, 100), first, others)] == [
        (120, 140), (240, 260),
    ]  # fmt: skip
    much_later = bots(NOON + 9 * HOUR, 20, 20)
    assert len(found(people(24, 100), first, much_later)) == 2


def test_bots_that_enter_half_of_their_codes_are_found_by_their_blocks() -> None:
    """Nobody has so many users among 10,000 numbers, however many of these answer."""
    in_blocks = bots(NOON + 5 * HOUR, 240, 10, entered=0.55, country="+88016698")
    narrow = [(entry._replace(phone=entry.phone[:13]), price) for entry, price in in_blocks]
    ((start, end, _),) = found(people(24, 100), narrow)
    assert abs(start - 300) <= 5
    assert abs(end - 540) <= 5


def test_a_launch_is_none() -> None:
    """Twenty times as many people for forty minutes, who enter their codes as ever."""
    crowd = [
        (entry._replace(at=NOON + 6 * HOUR + (entry.at - NOON) / 3), price)
        for entry, price in people(2, 1_000, seed=3)
    ]
    assert found(people(24, 50), crowd) == []


def test_a_provider_that_is_away_is_none() -> None:
    """For twenty minutes nobody gets a code: nobody was added, all went unanswered."""
    away = [
        (e._replace(verified=e.verified and not 5 < (e.at - NOON) / HOUR < 5.33), price)
        for e, price in people(24, 100)
    ]
    assert found(away) == []


def test_who_asks_again_while_the_provider_is_away_is_none() -> None:
    """Everybody presses "resend" twice: three times as many messages, to the same people."""
    away = [
        (e._replace(verified=e.verified and not 5 < (e.at - NOON) / HOUR < 5.5), price)
        for e, price in people(24, 200)
    ]
    again = [
        (e._replace(at=e.at + 90 * n), price)
        for e, price in away
        if 5 < (e.at - NOON) / HOUR < 5.5
        for n in (1, 2)
    ]
    assert found(away, again) == []
    attacked = bots(NOON + 5 * HOUR, 30, 20)
    assert [start for start, _, _ in found(away, again, attacked)] == [300]


def test_a_stranger_who_asks_meanwhile_is_no_part_of_an_attack() -> None:
    """Of the same country, in its last minute; the block says who is meant."""
    attack = bots(NOON + 5 * HOUR, 60, 1, country="+9945549")
    attack = [(entry._replace(phone=f"+994554925{i:03}"), 0.25)
              for i, (entry, _) in enumerate(attack)]  # fmt: skip
    stranger = [message(NOON + 5 * HOUR + 59 * 60 + 20, "+994501234567", False)]
    (episode,) = find(sorted(people(24, 100) + attack + stranger, key=lambda pair: pair[0].at))
    assert (episode.messages, episode.usd) == (60, 15.0)
    assert all(episode.has(entry) for entry, _ in attack)
    assert not episode.has(stranger[0][0])


def test_an_episode_has_as_many_messages_as_it_says() -> None:
    """Also one that pauses, or goes to numbers all over the world."""
    narrow = [(e._replace(phone=f"+99455492{i % 700:04}"), 0.25)
              for i, (e, _) in enumerate(bots(NOON + 2 * HOUR, 20, 20))]  # fmt: skip
    wide = [(e._replace(phone=f"+{(92, 880, 994, 998)[i % 4]}{e.phone[-9:]}"), 0.25)
            for i, (e, _) in enumerate(bots(NOON + 9 * HOUR, 30, 20))]  # fmt: skip
    parts = people(24, 100), narrow, bots(NOON + 4 * HOUR, 20, 20, entered=0.3), wide
    entries = sorted((each for part in parts for each in part), key=lambda pair: pair[0].at)
    episodes = find(entries)
    assert len(episodes) == 2
    for episode in episodes:
        own = [price for entry, price in entries if episode.has(entry)]
        assert (len(own), sum(own)) == (episode.messages, episode.usd)


def test_what_was_never_sent_is_no_part_of_an_attack() -> None:
    attack = [(e._replace(sent=i % 2 > 0), p) for i, (e, p) in enumerate(bots(NOON + HOUR, 30, 20))]
    (episode,) = find(sorted(people(24, 100) + attack, key=lambda pair: pair[0].at))
    assert 300 <= episode.messages <= 303


def test_what_cost_next_to_nothing_is_not_told() -> None:
    cheap = [(entry, 0.01) for entry, _ in bots(NOON + HOUR, 10, 20)]
    assert found(people(24, 100), cheap) == []
