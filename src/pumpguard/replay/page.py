"""The report as one page of HTML that needs nothing else: to be sent around and printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from pumpguard.replay.figures import interval, moment
from pumpguard.replay.report import Report

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 3rem }
.figures b { display: block; font-size: 1.8rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8884 }
svg { width: 100%; height: auto } .spent { fill: #c0392b } .left { fill: #2471a3 }
small, .note { opacity: .8 }
"""

HEAD = (
    "<!doctype html><html lang=en><head><meta charset=utf-8>"
    "<meta name=viewport content='width=device-width'><title>pumpguard replay</title>"
)

WIDTH, HEIGHT = 800.0, 160.0
"""Of the chart, in its own units."""


def page(report: Report) -> str:
    """The whole page. It has blocks of numbers and addresses as the log has them, and no single
    number."""
    spent, left, share = amounts(report)
    who = report.tally.customers
    low, high = interval(who.refused, who.all) if who.all else (0.0, 0.0)
    parts = [
        f"<h1>{report.journal.messages:,} messages, {moment(report.journal.first)} to "
        f"{moment(report.journal.last)}</h1>",
        '<div class="figures">',
        _figure(spent, "spent" if report.priced else "messages sent"),
        _figure(left, f"with this policy{share}"),
        _figure(
            f"{who.refused:,} of {who.all:,}",
            f"customers refused (95 % interval {low:.2%} to {high:.2%})",
        ) if who.all else "",
        _figure(f"{who.asked:,}", "customers asked for proof") if report.challenge else "",
        "</div>",
        f"<p><small>{escape(report.prices)}</small></p>",
        f"<h2>{'Money' if report.priced else 'Messages'} by day</h2>",
        _chart(report),
        "<h2>Attack episodes</h2>" if report.journal.tells_attacks else "",
        "" if not report.journal.tells_attacks else _table(
            ("from", "to", "messages", "USD", "countries", "recognised by"),
            (
                (
                    moment(each.start), moment(each.end), f"{each.messages:,}", f"{each.usd:,.2f}",
                    ", ".join(name for name, _ in each.countries.most_common(4)),
                    ", ".join(each.recognised_by[:3]) or "how many went unanswered",
                )
                for each in report.episodes
            ),
            "None was found.",
        ),
        "<h2>Refused by rule</h2>",
        _table(
            ("rule", "messages", "USD"),
            (
                (rule, f"{each.messages:,}", f"{each.usd:,.2f}" if report.priced else "")
                for rule, each in sorted(
                    report.tally.by_rule.items(), key=lambda pair: -pair[1].micros
                )
            ),
            "Nothing was refused.",
        ),
        "<h2>Customers by country</h2>",
        _table(
            ("country", "entered a code", "asked", "refused"),
            (
                (name, f"{each.all:,}", f"{each.asked:,}", f"{each.refused:,}")
                for name, each in sorted(
                    report.tally.by_country.items(),
                    key=lambda pair: (-pair[1].refused, -pair[1].all),
                )[:25]
            ),
            "The log has no verifications.",
        ),
        "<h2>What to know before believing it</h2>",
        *(f'<p class="note">{escape(line)}</p>' for line in report.cautions()),
    ]  # fmt: skip
    return f"{HEAD}<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"


def amounts(report: Report) -> tuple[str, str, str]:
    """What was spent, what would have been, and which share that saves."""
    if not report.priced:
        sent, passed = report.sent
        return f"{sent:,}", f"{passed:,}", f", {1 - passed / sent:.1%} refused" if sent else ""
    spent, left = report.without, report.with_guard
    return f"${spent:,.2f}", f"${left:,.2f}", f", {1 - left / spent:.1%} saved" if spent else ""


def _figure(value: str, what: str) -> str:
    return f"<div><b>{escape(value)}</b>{escape(what)}</div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    if not body:
        return f"<p>{nothing}</p>"
    names = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _chart(report: Report) -> str:
    """Two bars a day: spent, and with the policy."""
    days = sorted(report.tally.without)
    sums = report.tally.without, report.tally.with_guard
    top = max((report.height(sums[0][day]) for day in days), default=0.0) or 1.0
    step, bars = WIDTH / max(1, len(days)), []
    for i, day in enumerate(days):
        spent, left = (each[day] for each in sums)
        text = f"<title>{day}: {report.amount(spent)} and {report.amount(left)}</title>"
        for j, (each, kind) in enumerate(((spent, "spent"), (left, "left"))):
            height = report.height(each) / top * HEIGHT
            x, y = i * step + j * step * 0.4, HEIGHT - height
            place = f'x="{x:.1f}" y="{y:.1f}" width="{step * 0.38:.1f}" height="{height:.1f}"'
            bars.append(f'<rect class="{kind}" {place}>{text}</rect>')
    most = f"The dearest day ${top:,.2f}." if report.priced else f"The most on a day {top:,.0f}."
    label = f"{most} Red: {'spent' if report.priced else 'sent'}; blue: with this policy."
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{label}">'
        f"{''.join(bars)}</svg><p><small>{days[0] if days else ''} to {days[-1] if days else ''}. "
        f"{label}</small></p>"
    )
