"""README's table has a row for every app, a column for every test, and no others."""

from __future__ import annotations

from tests.frameworks import test_frameworks
from tests.frameworks.table import COLUMNS, NAMES, SERVERS, shown


def test_every_test_has_a_column() -> None:
    """What is not in the suite cannot be in the table."""
    tests = {name for name in vars(test_frameworks) if name.startswith("test_")}
    assert tests | {"test_cors_behind", "test_cors_in_front"} == set(COLUMNS)
    assert NAMES.keys() == SERVERS.keys()


def test_it_has_these_rows_and_columns() -> None:
    """Each ● is checked by its own test; here it is that there are no others."""
    head, _, *rows = shown().splitlines()
    assert [cell.strip() for cell in head.split("|")[2:-1]] == list(COLUMNS.values())
    names = [row.split("|")[1].strip().rpartition(" ")[0] for row in rows]
    assert names == [name for name, _ in NAMES.values()]
