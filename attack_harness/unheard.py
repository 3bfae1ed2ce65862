"""What a guard costs, and whom, while it hears no verification or is told of too many.

``python -m attack_harness.unheard`` plays a day of people who all enter their codes in apps that a
guard is fastened to wrongly, and six hours of an attack on an app that nobody uses yet.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.money.prices import PriceTable
from pumpguard.testing import FakeClock, SimulatedHuman

from . import addresses
from .actors import draws
from .clock import MIDNIGHT
from .numbering import mobile_number, mobile_ranges
from .population import Habits, population
from .targets import InProcess

HOME = ("GB", "IE", "FR", "DE", "US")
WRONG_FIRST = 0.08
"""The share of people who enter a wrong code first. An assumption: no measurement is published."""


RIGHT, WRONG = "1", "2"
"""How right codes begin, and wrong ones."""


SHOTS = 10_800
"""Of six hours."""


@dataclass(frozen=True)
class Setup:
    """How an app takes codes (``right`` and ``wrong`` are what it answers), what the request with
    the code has, where it is entered, and what the policy says beside the rest."""

    right: tuple[int, dict[str, Any]] = (200, {"ok": True})
    wrong: tuple[int, dict[str, Any]] = (400, {"ok": False})
    number: str = "phone"
    path: str | None = "/otp/verify"
    policy: dict[str, Any] = field(default_factory=dict)


SETUPS = {
    "heard": Setup(),
    "a path that the guard does not know": Setup(path="/otp/check"),
    "in a place that it does not see": Setup(path=None),
    "no number beside the code": Setup(number="mobile"),
    "success is a 302": Setup(right=(302, {})),
    "verified_when never holds": Setup(policy={"verified_when": "json:valid == true"}),
    "wrong codes are answered 200": Setup(wrong=(200, {"ok": False})),
}
"""What a guard may be set up like."""


@dataclass(frozen=True)
class Asking:
    """Somebody asks for a message; ``codes`` are entered, one after the other, once it is there."""

    at: float
    phone: str
    address: str
    codes: tuple[str, ...] = ()
    attacks: bool = False


@dataclass
class Played:
    """What it came to: people, whom of them the guard refused, or asked for proof, which nobody
    gives, and the messages and USD that went to attackers."""

    people: int = 0
    refused: int = 0
    refused_at_home: int = 0
    sent: int = 0
    lost: float = 0.0
    notices: tuple[str, ...] = ()


class App:
    """Sends and takes codes as that setup says."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        paths = ("/otp/send", "/otp/verify", "/otp/check")
        asked = (self._send, self._take, self._take)
        routes = [Route(p, do, methods=["POST"]) for p, do in zip(paths, asked, strict=True)]
        self.app = Starlette(routes=routes)

    async def _send(self, request: Request) -> Response:
        return JSONResponse({"sent": True}, 202)

    async def _take(self, request: Request) -> Response:
        code = (await request.json())["code"]
        status, said = self._setup.right if code[0] == RIGHT else self._setup.wrong
        if status in (302, 303):
            return RedirectResponse("/home", status)
        return JSONResponse(said, status)


async def play(
    setup: Setup, asking: Iterable[Asking], *, challenge: bool = False, home: Sequence[str] = HOME
) -> Played:
    """Play all of it in the order of time."""
    clock = FakeClock(MIDNIGHT)
    policy = Policy(
        send="/otp/send", verify="/otp/verify", home=home, daily_budget=600, proxies=["127.0.0.1"],
        deadline=10, **setup.policy,
    )  # fmt: skip
    guard = Guard(policy, clock=clock, challenge=SimulatedHuman() if challenge else None)
    app = PumpGuardMiddleware(App(setup).app, guard=guard)
    prices, played, order = PriceTable.load(), Played(), 0
    agenda: list[tuple[float, int, Asking, tuple[str, ...] | None]] = []
    for order, each in enumerate(asking):
        heapq.heappush(agenda, (each.at, order, each, None))
    async with InProcess(app) as target:
        while agenda:
            clock.now, _, who, codes = heapq.heappop(agenda)
            kind = (b"content-type", b"application/json")
            headers = [kind, (b"x-forwarded-for", who.address.encode())]
            if codes is None:
                body = json.dumps({"phone": who.phone}).encode()
                answer = await target.ask("POST", "/otp/send", headers, body)
                sent = answer.status == 202
                region = guard.reader.phone(who.phone).region
                if who.attacks:
                    played.sent += sent
                    played.lost += sent * prices.price(region)
                else:
                    played.people += 1
                    played.refused += not sent
                    played.refused_at_home += not sent and region in home
                codes = who.codes if sent else ()
            elif codes:
                code, codes = codes[0], codes[1:]
                body = json.dumps({setup.number: who.phone, "code": code}).encode()
                if setup.path is not None:
                    await target.ask("POST", setup.path, headers, body)
            if codes:
                order += 1
                later = clock.now + 8.0 + 20.0 * (order * 0.618034 % 1)
                heapq.heappush(agenda, (later, order, who, codes))
    codes_said = {notice.code for _, notice in guard.notices.latest(1_000)}
    played.notices = tuple(sorted(codes_said))
    return played


def people(seed: int, size: int) -> list[Asking]:
    """So many people of one day, who all enter their codes."""
    rng, found = draws(seed, "unheard"), []
    for user in population(seed, size, Habits(finish=1.0)):
        n = user.number
        wrong = (f"{WRONG}{n * 7_919 % 10**5:05}",) if rng.random() < WRONG_FIRST else ()
        codes = (*wrong, f"{RIGHT}{n * 104_729 % 10**5:05}")
        found.append(Asking(user.at, user.phone, user.address, codes))
    return found


def attack(
    seed: int, country: str, ranges: int | None, *, enters: bool = False, shots: int = SHOTS
) -> list[Asking]:
    """A message every two seconds, from 400 addresses, to numbers of so many ranges (of all, as
    people have them, without that). ``enters``: a code by chance for each."""
    rng = draws(seed, f"unheard:{country}", ranges or 0)
    pool = [addresses.residential(country, rng) for _ in range(400)]
    few = mobile_ranges(country)[: ranges or 0]
    found = []
    for n in range(shots):
        of = rng.choice(few) if few else None
        phone = of.number(rng.randrange(of.size)) if of else mobile_number(country, rng)
        codes = (f"{WRONG}{rng.randrange(10**5):05}",) if enters else ()
        found.append(Asking(MIDNIGHT + 2.0 * n, phone, pool[n % 400], codes, attacks=True))
    return found


BY_LUCK = "wrong codes are answered 200"
ATTACKS = {
    "nobody enters a code; three ranges at home": ("GB", 3, "heard", False),
    "the same of all ranges, as people have them": ("GB", None, "heard", False),
    "three ranges abroad": ("UZ", 3, "heard", False),
    "any code is right; three ranges at home": ("GB", 3, BY_LUCK, True),
    "any code is right; three ranges abroad": ("UZ", 3, BY_LUCK, True),
}
"""Country and ranges, what the app is set up like, and whether codes are entered."""


async def print_tables(seed: int, size: int, shots: int) -> None:
    """Play all, and print what it comes to."""
    print("| set-up | people | refused | with a challenge, asked | of these at home |")
    print("| --- | --- | --- | --- | --- |")
    crowd = people(seed, size)
    for name, setup in SETUPS.items():
        plain, asking = [await play(setup, crowd, challenge=each) for each in (False, True)]
        cells = [name, f"{plain.people:,}", f"{plain.refused}", f"{asking.refused}"]
        cells.append(f"{asking.refused_at_home}")
        print(f"| {' | '.join(cells)} |", flush=True)
    print("\n| attack | sent | lost | with a challenge |\n| --- | --- | --- | --- |")
    for name, (country, ranges, setup_name, enters) in ATTACKS.items():
        shooting, setup = (
            attack(seed, country, ranges, enters=enters, shots=shots),
            SETUPS[setup_name],
        )
        plain, asking = [await play(setup, shooting, challenge=each) for each in (False, True)]
        cells = [name, f"{plain.sent:,}", f"${plain.lost:.2f}", f"${asking.lost:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(prog="python -m attack_harness.unheard", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="every draw follows from it")
    parser.add_argument("--users", type=int, default=4_000)
    parser.add_argument("--shots", type=int, default=SHOTS, help="of an attack, one in two seconds")
    given = parser.parse_args(arguments)
    asyncio.run(print_tables(given.seed, given.users, given.shots))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
