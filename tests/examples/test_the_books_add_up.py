"""Where the money goes: from the customer to the provider, the operator and the number's owner."""

from __future__ import annotations

from typing import Any

import pytest

from examples.target_app.app import create_app
from examples.target_app.mobile_operator import MobileOperator
from examples.target_app.settings import Settings
from examples.target_app.sms_provider import SmsProvider
from pumpguard.money.prices import PriceTable
from tests.examples.visitor import BRITISH, NOON, UNALLOCATED, Visitor

AZERBAIJANI = "+994501234567"
SATELLITE = "+881612345678"
PRICES = PriceTable.load()


async def books(visitor: Visitor) -> tuple[Any, Any, Any]:
    return (
        await visitor.get("/otp/billing"),
        await visitor.get("/sms-provider/billing"),
        await visitor.get("/operator/billing"),
    )


async def test_a_message_costs_what_the_price_list_says(visitor: Visitor) -> None:
    await visitor.send(BRITISH)
    await visitor.send(AZERBAIJANI)
    await visitor.send(AZERBAIJANI)

    bill = await visitor.get("/otp/billing")
    gb, az = PRICES.price("GB"), PRICES.price("AZ")
    assert bill == {
        "messages_sent": 3,
        "total_spent": pytest.approx(gb + 2 * az),
        "currency": "USD",
        "by_country": {
            "AZ": {"messages": 2, "spent": pytest.approx(2 * az)},
            "GB": {"messages": 1, "spent": pytest.approx(gb)},
        },
    }


async def test_the_provider_names_its_price_list(visitor: Visitor) -> None:
    prices = (await visitor.get("/sms-provider/billing"))["prices"]

    assert prices == {"name": PRICES.name, "date": PRICES.date, "source": PRICES.source}


async def test_an_unallocated_number_is_rejected_and_billed_all_the_same(visitor: Visitor) -> None:
    assert (await visitor.send(UNALLOCATED)).status_code == 202

    customer, _, operator = await books(visitor)
    assert customer["by_country"] == {"GB": {"messages": 1, "spent": PRICES.price("GB")}}
    assert (operator["approved"], operator["rejected"]) == (0, 1)
    assert operator["share_paid"] == 0


async def test_an_impossible_number_is_refused_for_free(visitor: Visitor) -> None:
    assert (await visitor.send("+44740012345678")).status_code == 422

    customer, provider, operator = await books(visitor)
    assert customer["messages_sent"] == provider["messages_sent"] == 0
    assert provider["refused_free"] == 1
    assert operator["revenue"] == 0


async def test_a_number_of_no_country_is_billed_by_its_calling_code(visitor: Visitor) -> None:
    await visitor.send(SATELLITE)

    bill = await visitor.get("/otp/billing")
    assert bill["by_country"] == {"+881": {"messages": 1, "spent": PRICES.price(None)}}


async def test_all_books_agree_to_the_last_digit() -> None:
    visitor = Visitor(create_app(Settings(guard=False, simulated=True, loss=0.3)))
    phones = [f"+99450{n:07}" for n in range(100, 130)] + [f"+44163296{n:04}" for n in range(20)]
    for phone in [*phones, BRITISH, SATELLITE, "+12015550123", "+33612345678"]:
        await visitor.send(phone)

    customer, provider, operator = await books(visitor)
    ledger = (await visitor.get("/sim/messages"))["messages"]
    assert customer.items() <= provider.items()
    assert customer["total_spent"] == provider["total_spent"] == operator["revenue"]
    by_country = customer["by_country"].values()
    assert customer["total_spent"] == round(sum(c["spent"] for c in by_country), 6)
    assert customer["total_spent"] == round(sum(line["price"] for line in ledger), 6)
    assert customer["messages_sent"] == sum(c["messages"] for c in by_country) == len(ledger)
    assert operator["approved"] + operator["rejected"] == len(ledger)
    for status in ("delivered", "rejected", "lost"):
        assert operator[status] == sum(line["status"] == status for line in ledger) > 0
    assert operator["share_paid"] == round(sum(line["owner_share"] for line in ledger), 6) > 0


async def test_the_owner_of_a_number_earns_a_tenth_of_what_is_delivered(visitor: Visitor) -> None:
    await visitor.send(AZERBAIJANI)

    (line,) = (await visitor.get("/sim/messages"))["messages"]
    assert line == {
        "id": 0,
        "phone": AZERBAIJANI,
        "at": NOON,
        "country": "AZ",
        "price": PRICES.price("AZ"),
        "status": "delivered",
        "owner_share": pytest.approx(PRICES.price("AZ") / 10),
    }


async def test_a_reader_of_the_ledger_can_go_on_where_it_stopped(visitor: Visitor) -> None:
    for last in range(5):
        await visitor.send(f"+44740012345{last}")

    page = await visitor.get("/sim/messages?since=1&limit=2")
    assert [line["id"] for line in page["messages"]] == [1, 2]
    rest = await visitor.get(f"/sim/messages?since={page['next']}")
    assert [line["id"] for line in rest["messages"]] == [3, 4]
    end = await visitor.get(f"/sim/messages?since={rest['next']}")
    assert end == {"messages": [], "next": 5}


@pytest.mark.parametrize("query", ["since=-1", "limit=0", "limit=10001", "since=x"])
async def test_the_ledger_refuses_a_nonsensical_page(visitor: Visitor, query: str) -> None:
    assert (await visitor.call("GET", f"/sim/messages?{query}")).status_code == 422


def test_two_runs_of_the_same_traffic_lose_the_same_messages() -> None:
    def fates(seed: int) -> list[str]:
        operator = MobileOperator(seed=seed, loss=0.5)
        return [operator.carry(BRITISH, "", 0.05, NOON).status for _ in range(64)]

    assert fates(seed=1) == fates(seed=1)
    assert fates(seed=1) != fates(seed=2)
    assert set(fates(seed=1)) == {"delivered", "lost"}


def test_about_two_messages_in_a_hundred_are_lost() -> None:
    operator = MobileOperator()
    for number in range(5_000):
        operator.carry(f"+447400{number:06}", "", 0.05, NOON)

    lost = operator.report()["lost"]
    assert isinstance(lost, int)
    assert 60 < lost < 140


async def test_a_long_ledger_forgets_its_oldest_half_but_never_reuses_an_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("examples.target_app.sms_provider.LEDGER", 4)
    provider = SmsProvider(MobileOperator(loss=0), PRICES, lambda: NOON)
    for _ in range(5):
        await provider.send(BRITISH, "")

    assert [line.id for line in provider.messages(since=0, limit=10)] == [2, 3, 4]
    assert [line.id for line in provider.messages(since=4, limit=10)] == [4]


async def test_an_unguarded_app_counts_only_what_it_can_know(visitor: Visitor) -> None:
    await visitor.send(BRITISH)
    await visitor.send(AZERBAIJANI)

    assert await visitor.get("/metrics/firewall") == {
        "total_requests": 2,
        "requests_by_country": {},
        "requests_by_destination": {"GB": 1, "AZ": 1},
        "requests_by_network": {},
        "by_action": {"allow": 2},
        "by_rule": {},
        "alerts": {},
        "shadow_messages": 0,
        "shadow_dollars_saved": 0.0,
        "shadow_by_country": {},
    }
