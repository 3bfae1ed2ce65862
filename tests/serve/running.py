"""The real command, on a port of its own, for as long as a test needs it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"

POLICY = """
send = "/v1/assess"
settled = true
home = ["GB"]
daily_budget = 600
deadline = 10
secret = "a well kept secret"
"""


class Running:
    """``pumpguard serve`` in a process; ``folder`` has its policy and its tokens. It may take its
    time: a machine that is busy with other tests makes no 503."""

    def __init__(self, folder: Path, store: str, *options: str, policy: str = POLICY) -> None:
        (folder / "policy.toml").write_text(policy)
        (folder / "tokens").write_text(f"# the shop\n{TOKEN}\n")
        words = ["--policy", f"{folder}/policy.toml", "--tokens", f"{folder}/tokens"]
        self._command = [
            sys.executable, "-m", "pumpguard.cli", "serve", *words, "--store", store,
            "--port", "0", "--deadline", "30", *options,
        ]  # fmt: skip
        self.said: list[str] = []
        self.port = 0

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return self
        raise AssertionError(self.said)

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def connection(self) -> http.client.HTTPConnection:
        """A new one to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def begin(self, path: str, body: object = None, **headers: str) -> http.client.HTTPConnection:
        """The connection on which an answer will come; a ``body`` is posted, with the token."""
        headers = {"authorization": f"Bearer {TOKEN}", **headers}
        sent = None if body is None else json.dumps(body)
        if sent is not None:
            headers["content-type"] = "application/json"
        connection = self.connection()
        connection.request("GET" if sent is None else "POST", path, sent, headers)
        return connection

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer; a ``body`` is posted, with the token."""
        connection = self.begin(path, body, **headers)
        reply = connection.getresponse()
        found = json.loads(reply.read())
        connection.close()
        return reply.status, found

    def stop(self) -> int:
        """End it as an operator's tools do; its exit code."""
        self.process.terminate()
        rest, _ = self.process.communicate(timeout=60)
        self.said.append(rest or "")
        return self.process.returncode
