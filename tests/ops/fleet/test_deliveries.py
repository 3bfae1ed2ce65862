"""What providers have reported, by country and carrier: exactly, and of the whole fleet."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Guard, Policy
from pumpguard.intake.phone import canonical
from pumpguard.ops.fleet import Fleet, FleetReader
from pumpguard.ops.fleet.deliveries import Delivery, deliveries
from pumpguard.ops.fleet.period import Period
from pumpguard.ops.fleet.summary import period
from pumpguard.ops.fleet.tally import Tally
from pumpguard.receipts.base import Reported
from pumpguard.store.memory import MemoryStore
from tests.conftest import PATIENT

BRITISH, GERMAN = canonical("+447400123456"), canonical("+4915112345678")
WORDS = st.sampled_from(["delivered", "undelivered", "failed", "unallocated"])
REPORTS = st.builds(
    Reported,
    st.sampled_from([BRITISH, GERMAN]),
    st.just("sinch"),
    WORDS,
    st.just(0.0),
    st.sampled_from(["", "23415", "other"]),
    st.none() | st.integers(0, 4_000),
)


def of(*reports: Reported) -> Period:
    """What a process tells of these."""
    tally = Tally()
    for each in reports:
        tally.reported(each)
    return Period.of([tally.take()[0]])


@given(st.lists(REPORTS, max_size=40))
def test_every_report_is_counted_once(reports: list[Reported]) -> None:
    """Where it belongs, by its word; summed over periods as well."""
    half = len(reports) // 2
    seen = Period.total([of(*reports[:half]), of(*reports[half:])])
    found = deliveries(seen)
    assert sum(each.messages for each in found) == len(reports)
    for each in found:
        here = [r for r in reports if (r.phone.region, r.carrier) == (each.country, each.carrier)]
        words = Counter(r.word for r in here)
        assert (each.delivered, each.undelivered) == (words["delivered"], words["undelivered"])
        assert (each.failed, each.unallocated) == (words["failed"], words["unallocated"])
    assert [each.messages for each in found] == sorted(
        (each.messages for each in found), reverse=True
    )


def test_how_long_it_took_is_the_mean() -> None:
    """To a tenth of a second; of what was not delivered nothing is known."""
    seen = of(
        Reported(BRITISH, "sinch", "delivered", 0.0, "23415", 3.0),
        Reported(BRITISH, "sinch", "delivered", 0.0, "23415", 6.51),
        Reported(GERMAN, "twilio", "failed", 0.0),
    )
    assert deliveries(seen) == [
        Delivery("GB", "23415", 2, 0, 0, 0, 4.8),
        Delivery("DE", "", 0, 0, 1, 0, None),
    ]
    assert period(seen)["deliveries"][1] == {
        "country": "DE", "carrier": None, "delivered": 0, "undelivered": 0, "failed": 1,
        "unallocated": 0, "seconds_to_delivery": None,
    }  # fmt: skip


async def test_a_process_that_only_hears_of_receipts_speaks_too() -> None:
    """As one that serves nothing else."""
    store = MemoryStore()
    async with Guard(Policy(send="/s", rules=[], deadline=PATIENT), store) as guard:
        fleet = Fleet(guard)
        guard.listeners.reported(Reported(BRITISH, "sinch", "delivered", 0.0, "23415", 2.0))
        assert fleet._timer is not None
        await fleet.speak()
        view = await FleetReader(store.fleet, guard.overrides.now).look()
        assert deliveries(view.day) == [Delivery("GB", "23415", 1, 0, 0, 0, 2.0)]
