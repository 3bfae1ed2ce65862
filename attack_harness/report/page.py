"""The scorecard as one self-contained page."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ..figures import Table
from .words import count, dollars, percent, rule


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for word in (count, dollars, percent, rule):
        environment.filters[word.__name__] = word
    return environment.get_template("page.html")


def render(scorecard: Table, pictures: Iterable[bytes]) -> str:
    """The page, with the pictures inside."""
    day, bars = (base64.b64encode(picture).decode() for picture in pictures)
    ranked = sorted(scorecard["refusals_by_rule"].items(), key=lambda r: (-r[1], r[0]))
    return _template().render(**scorecard, day=day, bars=bars, refusals=ranked)
