"""The page's examples, run as it shows them where the language is at hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.running import TOKEN, Running

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")


NODE = shutil.which("node")


def example(language: str) -> str:
    """The first example in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None
    return found[1]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """By the policy of the page."""
    with Running(tmp_path, "memory://", policy=example("toml")) as running:
        (tmp_path / "tokens").write_text(f"{TOKEN}\n")
        yield running


def test_curl(service: Running, tmp_path: Path) -> None:
    script = example("sh").replace("http://127.0.0.1:8322", service.url)
    found = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert '"action":"allow"' in found.stdout


if NODE is not None:

    def test_node(service: Running, tmp_path: Path) -> None:
        """Not sent and given back, sent, refused as too soon, verified; a mistake has words."""
        script = example("js").replace("http://127.0.0.1:8322", service.url)
        script = script.replace("timeout(1500)", "timeout(60_000)")
        (tmp_path / "guard.mjs").write_text(f"{script}\nexport {{ ask }};\n")
        (tmp_path / "run.mjs").write_text(
            """
            import { ask, sendCode, verified } from "./guard.mjs";
            const fails = () => { throw new Error("provider away"); };
            const sent = [], send = (to) => sent.push(to), here = "81.2.69.142";
            console.log(await sendCode("+44 7400 123456", here, fails).catch((e) => e.message));
            // It is given back behind the reply. Asking why counts nothing.
            const why = () => ask("/v1/explain", { phone: "+44 7400 123456", address: here });
            const pause = () => new Promise((done) => setTimeout(done, 20));
            while ((await why()).action !== "allow") await pause();
            console.log(await sendCode("+44 7400 123456", here, send), sent.join());
            console.log(await sendCode("+44 7400 123456", here, send), sent.length);
            console.log(JSON.stringify(await verified("+447400123456")));
            console.log(await sendCode("12", here, send).catch((e) => e.message));
            """
        )
        said = subprocess.run(
            [str(NODE), "run.mjs"], capture_output=True, text=True, cwd=tmp_path,
            env={"PUMPGUARD_TOKEN": TOKEN},
        )  # fmt: skip
        assert said.stdout.splitlines() == [
            "provider away",
            "allow +447400123456",
            "throttle 1",
            '{"accepted":1,"problems":[]}',
            "Not a telephone number: The telephone number needs its calling code, such as +44.",
        ], said.stderr
