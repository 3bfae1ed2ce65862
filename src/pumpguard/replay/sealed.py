"""A zip whose files are chained by hashes: whoever has the last line can see later whether any of
them was changed, left out or put in another order.

Each line of ``manifest.txt`` has a file's SHA-256, its name, and the SHA-256 of the line before's
last word followed by this line's first two, with spaces between; the first begins with 64 zeros.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MANIFEST = "manifest.txt"
START = "0" * 64

FORMULA = ("=", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula. A number's ``+`` is none: digits follow it."""


class SealedZip:
    """Writes the files one after the other, and the manifest at the end. ``seal`` is its last hash.
    The same files make the same zip, byte for byte."""

    def __init__(self, path: Path) -> None:
        self.seal = START
        self._lines: list[str] = []
        self._path, self._zip = path, ZipFile(path, "w", ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._zip.writestr(_info(MANIFEST), "".join(f"{line}\n" for line in self._lines))
        self._zip.close()
        if error is not None:
            self._path.unlink()

    def text(self, name: str, text: str) -> None:
        """A file of text."""
        self._file(name, [text])

    def rows(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
        """A file of CSV; how many rows it has."""
        count = 0

        def lines() -> Iterable[str]:
            nonlocal count
            yield _line(header)
            for row in rows:
                count += 1
                yield _line(row)

        self._file(name, lines())
        return count

    def _file(self, name: str, parts: Iterable[str]) -> None:
        digest = sha256()
        with self._zip.open(_info(name), "w", force_zip64=True) as file:
            for part in parts:
                data = part.encode("utf-8", "replace")
                digest.update(data)
                file.write(data)
        self.seal = chained(self.seal, digest.hexdigest(), name)
        self._lines.append(f"{digest.hexdigest()} {name} {self.seal}")


def chained(before: str, digest: str, name: str) -> str:
    """The hash of a line of the manifest."""
    return sha256(f"{before} {digest} {name}".encode()).hexdigest()


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def _line(row: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(
        [f"'{each}" if str(each).startswith(FORMULA) else each for each in row]
    )
    return written.getvalue()
