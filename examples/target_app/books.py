"""Bills that add up, and the routes that show everybody's books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from fastapi import APIRouter

CURRENCY = "USD"
Report = Callable[[], dict[str, object]]


class Amount:
    """A sum of dollars that is exact: kept in millionths, because floats do not add up."""

    def __init__(self) -> None:
        self._millionths = 0

    def add(self, dollars: float) -> None:
        """Add a price, to the nearest millionth."""
        self._millionths += round(dollars * 1_000_000)

    @property
    def dollars(self) -> float:
        """The sum."""
        return self._millionths / 1_000_000


class Bill:
    """Messages and money, in total and by country of destination."""

    def __init__(self) -> None:
        self._messages: Counter[str] = Counter()
        self._spent: dict[str, Amount] = {}
        self._total = Amount()

    def add(self, country: str, price: float) -> None:
        """Charge one message."""
        self._messages[country] += 1
        self._spent.setdefault(country, Amount()).add(price)
        self._total.add(price)

    def report(self) -> dict[str, object]:
        """The bill, as the customer sees it."""
        return {
            "messages_sent": self._messages.total(),
            "total_spent": self._total.dollars,
            "currency": CURRENCY,
            "by_country": {
                country: {"messages": self._messages[country], "spent": spent.dollars}
                for country, spent in sorted(self._spent.items())
            },
        }


def books_routes(
    *, customer: Report, provider: Report, operator: Report, traffic: Report
) -> APIRouter:
    """Everybody's books, each told by its keeper."""
    router = APIRouter(tags=["books"])
    for path, report in (
        ("/otp/billing", customer),
        ("/sms-provider/billing", provider),
        ("/operator/billing", operator),
        ("/metrics/firewall", traffic),
    ):
        router.add_api_route(path, _told_by(report), methods=["GET"])
    return router


def _told_by(report: Report) -> Callable[[], Awaitable[dict[str, object]]]:
    # A plain function would run in a thread of its own, while the books are being written.
    async def tell() -> dict[str, object]:
        return report()

    return tell
