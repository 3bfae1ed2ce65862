"""The manual leads where it says: every link, every anchor, and every policy that it shows."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from pumpguard import Policy

ROOT = Path(__file__).parents[2]
FOLDERS = ("", "docs", "examples/*", "src/pumpguard/data")
PAGES = sorted(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/*.md".lstrip("/")))
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
BESIDE = {"send": '"/otp/send"', "settled": "true"}
"""What a policy needs that a page leaves out."""

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """The page without its code."""
    return CODE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Where links into a page can lead: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@by_page
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """A link to what was moved is worse than none."""
    broken = []
    for path, anchor in LINK.findall(prose(page)):
        target = page if not path else (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append((path, anchor))
    assert broken == []


def test_every_page_of_the_manual_is_in_its_index() -> None:
    """What the index does not name, nobody finds."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    names = {path for path, _ in LINK.findall(index)}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - names - {"README.md"} == set()


@by_page
def test_every_toml_block_is_a_policy(page: Path, tmp_path: Path) -> None:
    """As it stands, or as the part of one that it shows, by a guard that hears of verifications."""
    if page.name == "write-a-rule.md":  # its own test has the rule that its policy names
        return
    for language, text in CODE.findall(page.read_text("utf-8")):
        if language == "toml":
            left_out = BESIDE.keys() - tomllib.loads(text).keys()
            file = tmp_path / "policy.toml"
            file.write_text("".join(f"{key} = {BESIDE[key]}\n" for key in left_out) + text, "utf-8")
            assert Policy.from_toml(file).chain


@by_page
def test_every_python_block_compiles(page: Path) -> None:
    """A typing error in an example costs every reader a minute."""
    for language, text in CODE.findall(page.read_text("utf-8")):
        if language == "python":
            compile(text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
