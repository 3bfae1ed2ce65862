"""Other addresses, then other numbers, then another country."""

from __future__ import annotations

from attack_harness.attackers.campaign import Campaign, Field

HERE = Field((("a1", "a2", "a3"), ("b1", "b2")), (("pool 1",), ("pool 2",)))
THERE = Field((("c1", "c2"),), (("pool 3",),))


def refuse(campaign: Campaign, times: int) -> None:
    for _ in range(times):
        aim = campaign.aim()
        assert aim
        campaign.hear(aim, sent=False)


def test_it_stays_as_long_as_messages_are_sent() -> None:
    campaign = Campaign((HERE, THERE), patience=2)
    for expected in ("a1", "a2", "a3"):
        aim = campaign.aim()
        assert aim
        assert (aim.phone, aim.address) == (expected, "pool 1")
        campaign.hear(aim, sent=True)
    assert campaign.moves == 0


def test_refused_it_tries_other_addresses_then_another_block_then_another_country() -> None:
    campaign = Campaign((HERE, THERE), patience=1)
    tried = []
    for _ in range(4):
        aim = campaign.aim()
        assert aim
        tried.append((aim.phone, aim.address))
        campaign.hear(aim, sent=False)
    assert tried == [("a1", "pool 1"), ("a2", "pool 2"), ("b1", "pool 2"), ("c1", "pool 3")]


def test_a_message_that_is_sent_settles_it() -> None:
    campaign = Campaign((HERE, THERE), patience=2)
    refuse(campaign, 1)
    aim = campaign.aim()
    assert aim
    campaign.hear(aim, sent=True)
    refuse(campaign, 1)
    assert campaign.moves == 0


def test_late_news_from_a_place_already_left_moves_nobody() -> None:
    campaign = Campaign((HERE, THERE), patience=1)
    first, second = campaign.aim(), campaign.aim()
    assert first
    assert second
    campaign.hear(first, sent=False)
    campaign.hear(second, sent=False)
    assert campaign.moves == 1


def test_a_used_up_block_is_followed_by_the_next_and_then_by_nothing() -> None:
    campaign = Campaign((HERE, THERE), patience=9)
    asked = []
    while aim := campaign.aim():
        asked.append(aim.phone)
        campaign.hear(aim, sent=True)
    assert asked == ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
