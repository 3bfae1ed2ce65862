"""A zip whose manifest gives away every later change."""

from __future__ import annotations

import csv
import io
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.replay.sealed import MANIFEST, SealedZip


def made(path: Path, text: str = "hello\n") -> SealedZip:
    with SealedZip(path) as zipped:
        zipped.text("a.txt", text)
        zipped.rows("b.csv", ("x", "y"), [(1, "ü"), (2, 'a "b", c')])
    return zipped


def test_the_manifest_chains_all_files(tmp_path: Path) -> None:
    """As the docs say how to check it: by SHA-256 alone."""
    seal = made(tmp_path / "e.zip").seal
    with ZipFile(tmp_path / "e.zip") as zipped:
        before = "0" * 64
        for line in zipped.read(MANIFEST).decode().splitlines():
            digest, name, chain = line.split(" ")
            assert sha256(zipped.read(name)).hexdigest() == digest
            before = sha256(f"{before} {digest} {name}".encode()).hexdigest()
            assert chain == before
        assert before == seal
        assert zipped.namelist() == ["a.txt", "b.csv", MANIFEST]


def test_the_same_files_make_the_same_zip_and_others_another_seal(tmp_path: Path) -> None:
    first, second = made(tmp_path / "1.zip"), made(tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert first.seal == second.seal != made(tmp_path / "3.zip", "Hello\n").seal


def test_a_zip_that_was_not_finished_is_none(tmp_path: Path) -> None:
    """Half of the evidence would look like all of it."""

    def half() -> None:
        with SealedZip(tmp_path / "e.zip") as zipped:
            zipped.text("a.txt", "hello")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        half()
    assert not (tmp_path / "e.zip").exists()


@given(value=st.text(st.characters(codec="utf-8"), max_size=30))
def test_no_value_becomes_a_formula_or_breaks_the_row(
    value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("zip") / "e.zip"
    with SealedZip(path) as zipped:
        zipped.rows("x.csv", ("a", "b"), [(value, "+447400123456")])
    with ZipFile(path) as found:
        text = found.read("x.csv").decode()
    (told, number), *more = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert not more
    assert told.removeprefix("'") == value.removeprefix("'")
    assert not told.startswith(("=", "-", "@", "\t", "\r"))
    assert number == "+447400123456"
