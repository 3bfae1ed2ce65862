"""What hiding a ban is worth: the adaptive attacker before one that is seen, and one that is not.

``python -m attack_harness.moving_on`` plays the attack of `attackers.adaptive` against the example
app twice per seed. Both policies are the app's own; in one, the ban on a block of numbers answers
429 from its first moment on, in the other it is a shadow.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .actors import draws
from .attackers.adaptive import Adaptive
from .attackers.base import Ground
from .attackers.campaign import Aim, Campaign
from .money.stage import on_stage

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
phone = "phone"
code = "code"
home = ["GB", "IE", "FR", "DE", "US"]
proxies = ["127.0.0.0/8", "::1"]
daily_budget = 600.0

[rules.shadow_ban]
after = ["prefix_pattern", "range_pattern", "credit"]
action = "{action}"
"""

SEEN, UNSEEN = "throttle", "shadow"
SEEDS = 5


class Diary(Campaign):
    """A campaign that writes down what it asked for between one move and the next."""

    def __init__(self, campaign: Sequence[object], patience: int) -> None:
        super().__init__(campaign, patience)  # type: ignore[arg-type]
        self.stays: dict[str, int] = {}

    def hear(self, aim: Aim, *, sent: bool) -> None:
        """Remember where the number was asked for."""
        self.stays[aim.phone] = aim.moves
        super().hear(aim, sent=sent)


@dataclass(frozen=True, slots=True)
class Story:
    """One attack: ``wasted`` requests are those that led to no message. ``stays`` are the places
    that it saw as one, ``longest`` the most that it wasted in any of them."""

    seed: int
    requests: int
    wasted: int
    moves: int
    longest: int
    messages: int
    loss: float

    @property
    def before_moving(self) -> float:
        """Requests wasted per move; all of them if it never moved."""
        return self.wasted / max(1, self.moves)


async def play(seed: int, action: str, family: Adaptive | None = None) -> Story:
    """One attack against one policy."""
    family = family or Adaptive()
    attack = family.plan(Ground(draws(seed, family.name)))
    diary = Diary(attack.fields, attack.patience)
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        policy.write_text(POLICY.format(action=action), encoding="utf-8")
        played = await on_stage(attack.led_by(diary), policy=policy, seed=seed)
    paid = played.paid(attack)
    sent = {message.phone for message in paid}
    requests = Counter(exchange.phone for exchange in played.log.exchanges)
    wasted: Counter[int] = Counter()
    for phone, asked in requests.items():
        wasted[diary.stays.get(phone, diary.moves)] += asked - (phone in sent)
    return Story(
        seed,
        requests.total(),
        wasted.total(),
        diary.moves,
        max(wasted.values(), default=0),
        len(paid),
        sum(message.price for message in paid),
    )


async def study(seeds: Sequence[int], family: Adaptive | None = None) -> list[tuple[Story, Story]]:
    """Each seed's attack, before a ban that is seen and before one that is not."""
    return [(await play(n, SEEN, family), await play(n, UNSEEN, family)) for n in seeds]


def table(pairs: Sequence[tuple[Story, Story]]) -> str:
    """Both side by side."""
    lines = [
        "| seed | ban | requests | moves | wasted per move | messages | loss caused |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for pair in pairs:
        for name, story in zip(("429", "shadow"), pair, strict=True):
            lines.append(
                f"| {story.seed} | {name} | {story.requests:,} | {story.moves:,} "
                f"| {story.before_moving:,.1f} | {story.messages} | ${story.loss:,.2f} |"
            )
    ratios = [unseen.before_moving / seen.before_moving for seen, unseen in pairs]
    losses = [unseen.loss / seen.loss for seen, unseen in pairs]
    lines.append("")
    lines.append(
        f"Under a shadow it wastes {min(ratios):,.0f} to {max(ratios):,.0f} times as many requests "
        f"before it moves (median {statistics.median(ratios):,.0f}), and its loss caused is "
        f"{statistics.median(losses):.0%} of that before a 429."
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(prog="python -m attack_harness.moving_on", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, from 1 on")
    given = parser.parse_args(arguments)
    print(table(asyncio.run(study(range(1, given.seeds + 1)))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
