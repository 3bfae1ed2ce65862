"""What the package index shows: the README, without links that lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path

from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from typer.testing import CliRunner

import pumpguard
from hatch_build import for_the_index
from pumpguard.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCE = "https://code.example/team/pumpguard/"


def targets(text: str) -> list[str]:
    """Where a text's links and pictures lead."""
    return re.findall(r"\]\(([^)]+)\)", text)


def test_links_and_pictures_lead_to_the_tag_of_the_release() -> None:
    """With an address in pyproject.toml, every relative target becomes an absolute one."""
    text = (
        "![a day](docs/demo.png) and [`money`](docs/money.md#the-bound), [us](https://us.example)"
    )
    assert for_the_index(text, SOURCE, "1.2.3") == (
        "![a day](https://code.example/team/pumpguard/raw/v1.2.3/docs/demo.png) and "
        "[`money`](https://code.example/team/pumpguard/blob/v1.2.3/docs/money.md#the-bound), "
        "[us](https://us.example)"
    )


def test_without_an_address_no_link_is_left_that_leads_nowhere() -> None:
    """A link becomes its text, a picture is left out, and what is absolute stays."""
    text = "![a day](docs/demo.png)see [money](docs/money.md) and [us](https://us.example)"
    assert for_the_index(text, None, "1.2.3") == "see money and [us](https://us.example)"


def test_the_readme_as_built_has_only_absolute_links() -> None:
    """As hatchling itself makes the package's metadata."""
    built = ProjectMetadata(str(ROOT), PluginManager()).core
    assert built.version == pumpguard.__version__
    for text in (built.readme, for_the_index(README, SOURCE, built.version)):
        assert "ASGI middleware that stops SMS pumping" in text
        assert [to for to in targets(text) if not to.startswith("https://")] == []


def test_every_relative_link_of_the_readme_leads_to_a_file() -> None:
    """An absolute link to a file that is not there would be as broken as a relative one."""
    relative = [to.split("#")[0] for to in targets(README) if not to.startswith("https://")]
    assert [to for to in relative if not (ROOT / to).exists()] == []


def test_the_command_says_its_release() -> None:
    result = CliRunner().invoke(app(), ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"pumpguard {pumpguard.__version__}\n")
