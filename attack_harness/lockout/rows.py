"""Six attacks on a guard's users that were once worth their price, played against today's. A
``part`` below 1 shortens what comes after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from .stage import DAY, HOUR, MINUTE, Bill, Person, Stage

ABROAD = ("IN", "BR", "MX", "PH", "JP", "VN", "TR", "IT", "ES", "PL", "KE", "ZA", "CA", "AU", "NL")


@dataclass(frozen=True)
class Row:
    """What somebody did, what it cost, and what became of the people who asked meanwhile."""

    name: str
    what: str
    bill: Bill
    people: Sequence[Person]

    def count(self, told: str, *, customers: bool | None = None) -> int:
        """How many of them were told so."""
        return sum(
            p.told == told for p in self.people if customers is None or p.customer is customers
        )

    @property
    def asked(self) -> int:
        """How many were asked for proof."""
        return sum(p.asked for p in self.people)


async def shadowed_block(seed: int, part: float = 1.0) -> Row:
    """From one address he has neighbours of a block texted, and goes on with bought proofs."""
    stage = Stage(seed)
    customer = await stage.customer("GB")
    block, his = customer.phone[:-3], stage.address()
    await stage.play(DAY)
    for day in range(3):
        for n in range(3 + round(part * 145) if day else 3 + 5):
            await stage.spoil(f"{block}{n % 10:03}", his, "GB")
            await stage.play(10 * MINUTE if day else 2.0)
            if n % 12 == 6:
                stranger = Person(f"{block}{500 + n}", stage.address(), "GB")
                customers = Person(customer.phone, customer.address, "GB", customer=True)
                await stage.visit(stranger)
                await stage.visit(customers)
        await stage.play(HOUR)
    return Row("shadowed block", _doc(shadowed_block), stage.bill, stage.people)


async def country_line(seed: int, part: float = 1.0) -> Row:
    """In 13 minutes he has 1,230 numbers of a home country texted, proofs bought; for three hours
    customers come with proof, half of them from somewhere new, and strangers; he goes on with one
    request a second."""
    stage = Stage(seed)
    customers = [await stage.customer("GB") for _ in range(36)]
    await stage.play(2 * DAY)
    for _ in range(1_230):
        await stage.spoil(stage.number("GB"), stage.address(), "GB")
        await stage.play(13 * MINUTE / 1_230)
    for n, customer in enumerate(customers):
        if n % 2:
            customer.address = stage.address()
        await stage.visit(customer, proved=True)
        await stage.visit(stage.person("GB"), proved=True)
        for _ in range(round(part * 3 * HOUR / len(customers))):
            await stage.spoil(stage.number("GB"), stage.address(), "GB")
            await stage.play(1.0)
    return Row("country's line", _doc(country_line), stage.bill, stage.people)


async def all_abroad(seed: int, part: float = 1.0) -> Row:
    """Two requests a second for two hours, to all countries abroad, proofs bought."""
    stage = Stage(seed)
    customers = [await stage.customer(ABROAD[n % len(ABROAD)]) for n in range(60)]
    await stage.play(2 * DAY)
    for second in range(round(part * 2 * HOUR)):
        for n in range(2):
            country = ABROAD[(2 * second + n) % len(ABROAD)]
            await stage.spoil(stage.number(country), stage.address(), country)
        if second % 30 == 0:
            await stage.visit(stage.person(ABROAD[second // 30 % len(ABROAD)]))
        if second % 120 == 60:
            await stage.visit(customers[second // 120])
        await stage.play(1.0)
    return Row("all abroad", _doc(all_abroad), stage.bill, stage.people)


async def eight_messages(seed: int, part: float = 1.0) -> Row:
    """Eight messages to a home country, and then one a minute; for half an hour a stranger comes
    every minute, and a customer."""
    stage = Stage(seed)
    customers = [await stage.customer("GB") for _ in range(round(part * 30))]
    await stage.play(2 * DAY)
    for _ in range(8):
        await stage.spoil(stage.number("GB"), stage.address(), "GB", buys=False)
    for customer in customers:
        await stage.visit(stage.person("GB"))
        await stage.visit(customer)
        await stage.spoil(stage.number("GB"), stage.address(), "GB", buys=False)
        await stage.play(MINUTE)
    return Row("eight messages", _doc(eight_messages), stage.bill, stage.people)


async def victims_number(seed: int, part: float = 1.0) -> Row:
    """Ten messages a week to one customer's number, who signs in with a code twelve times a day."""
    stage = Stage(seed)
    victim = await stage.customer("GB")
    await stage.play(DAY)
    for hour in range(round(part * 7 * 24)):
        for _ in range(3):
            if stage.bill.messages < 10:
                await stage.spoil(victim.phone, stage.address(), "GB", buys=False)
            await stage.play(20 * MINUTE)
        if hour % 2:
            await stage.visit(Person(victim.phone, victim.address, "GB", customer=True))
    return Row("a victim's number", _doc(victims_number), stage.bill, stage.people)


async def nobody_attacks(seed: int, part: float = 1.0) -> Row:
    """Nobody attacks: a user signs in with a code three times a day, for two weeks."""
    stage = Stage(seed)
    user = await stage.customer("GB")
    for _ in range(round(part * 14 * 3)):
        await stage.play(8 * HOUR)
        await stage.visit(Person(user.phone, user.address, "GB", customer=True))
    return Row("nobody attacks", _doc(nobody_attacks), stage.bill, stage.people)


ROWS: tuple[Callable[..., Awaitable[Row]], ...] = (
    shadowed_block, country_line, all_abroad, eight_messages, victims_number, nobody_attacks,
)  # fmt: skip


def _doc(function: Callable[..., object]) -> str:
    return " ".join((function.__doc__ or "").split())
