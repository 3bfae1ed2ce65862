"""``python -m attack_harness.tell_apart``: can an attacker tell a shadow from a message sent?

Thousands of exchanges over loopback with the example app behind a shadow and, so that it is known
that the classifiers see, behind an open 429 and behind a shadow that answers at once.
Needs the [dev] extra, for scikit-learn.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from .defended import DEFENCES, INSTANT, REFUSED
from .study import PROVIDER, judge, observe

HEAD = """| behind | an attacker who looks at | logistic regression | gradient boosting |
| --- | --- | --- | --- |"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, train, and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m attack_harness.tell_apart", description=__doc__
    )
    parser.add_argument("--sessions", type=int, default=2_000, help="of 8 requests; half in shadow")
    parser.add_argument("--seed", type=int, default=1, help="every planned draw follows from it")
    parser.add_argument("--latency", default=PROVIDER, help="the provider's: median and spread")
    parser.add_argument("--defence", action="append", choices=DEFENCES, help="all, by default")
    given = parser.parse_args(arguments)
    print(HEAD)
    for defence in given.defence or DEFENCES:
        few = defence in (REFUSED, INSTANT)
        seen = asyncio.run(
            observe(
                defence,
                max(100, given.sessions // 5) if few else given.sessions,
                seed=given.seed,
                latency=given.latency,
            )
        )
        found = judge(defence, seen, given.seed)
        for what, told in (("single sends", found.sends), ("whole sessions", found.sessions)):
            areas = (f"{t.auc:.3f} ({t.low:.3f} to {t.high:.3f})" for t in told)
            print(f"| {defence} | {told[0].samples:,} {what} | {' | '.join(areas)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
