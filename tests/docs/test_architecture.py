"""The page about the architecture: what it names, and how much there is to read."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_house import core

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGE = ROOT / "src" / "pumpguard"
ROW = re.compile(r"^\|(?: [\w ]+ \|)? ((?:`[\w/]+\.\w+` ?)+)\| (\d+) \|$", re.M)
PATH = re.compile(r"(?<![\w>*./-])((?:\.\./)?[\w*][\w*./-]*(?:\.py|\.lua|/(?=`)))")
QUESTION = re.compile(r"^(\d)\. \*\*(.+?)\*\*", re.M)


def lines(files: str) -> int:
    """Of the files that a row names, together."""
    names = re.findall(r"`([^`]+)`", files)
    return sum(len((PACKAGE / name).read_text("utf-8").splitlines()) for name in names)


def test_the_counts_are_right() -> None:
    """Rows name files that exist, and their lines within a tenth; the first table is the core."""
    rows = ROW.findall(PAGE)
    assert len(rows) > 8
    wrong = [
        (files, lines(files)) for files, count in rows if abs(lines(files) / int(count) - 1) > 0.1
    ]
    assert wrong == []
    first = PAGE.partition("<!-- core -->")[2].partition("And by what you change")[0]
    named = {name for files, _ in ROW.findall(first) for name in re.findall(r"`([^`]+)`", files)}
    to_read = [path for path in core() if path.stat().st_size > 100]  # an empty package is none
    assert named == {path.relative_to(PACKAGE).as_posix() for path in to_read}


def there(path: str) -> bool:
    """Whether there are such files: in the package, in the repository, or, as in the drawing, with
    the folder left out."""
    path = path.removeprefix("../")
    if "/" in path:
        return any(any(folder.glob(path)) for folder in (PACKAGE, ROOT))
    return any(any(folder.rglob(path)) for folder in (PACKAGE, ROOT / "tests"))


def test_every_path_that_it_names_is_there() -> None:
    """Of the package and of the tests, in the drawing too."""
    paths = set(PATH.findall(PAGE))
    assert {"scores/__init__.py", "tests/models/test_models.py", "tests/models/"} <= paths
    assert [path for path in sorted(paths) if not there(path)] == []


def test_the_decision_asks_what_the_page_says() -> None:
    """In the same five sentences."""
    code = (PACKAGE / "engine" / "decide.py").read_text("utf-8")
    sentences = [f"# {number}. {text}" for number, text in QUESTION.findall(PAGE)]
    assert len(sentences) == 5
    assert [each for each in sentences if each not in code] == []
