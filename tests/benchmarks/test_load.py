"""When an answer that a client reads has come to its end."""

from __future__ import annotations

import pytest

from benchmarks.kit.load import is_whole


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_whole(answer: bytes) -> None:
    assert is_whole(answer)
    assert not any(is_whole(answer[:end]) for end in range(len(answer)))
