"""The page's examples, run as it shows them where the language is at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PATIENT
from tests.serve.running import TOKEN, Running

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")

TOO_FEW = "Not a telephone number: The telephone number needs its calling code, such as +44."

UNSENT = "+447911234567"

SAID = ["provider away", "allow +447400123456", "throttle 1", "told", TOO_FEW]
"""What each program says of: a provider that is away, a message, another one too soon, a code that
was entered, and a text that is no number."""

NODE = """
    import { sendCode, verified } from "./guard.mjs";
    const fails = () => { throw new Error("provider away"); };
    const sent = [], send = (to) => sent.push(to), here = "81.2.69.142";
    console.log(await sendCode("+44 7911 234567", here, fails).catch((e) => e.message));
    console.log(await sendCode("+44 7400 123456", here, send), sent.join());
    console.log(await sendCode("+44 7400 123456", here, send), sent.length);
    console.log((await verified("+447400123456")).accepted === 1 ? "told" : "not told");
    console.log(await sendCode("12", here, send).catch((e) => e.message));
"""

GO = """
package codes

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func said(action string, err error, more any) {
	if err != nil {
		fmt.Println("said:", err)
	} else {
		fmt.Println("said:", action, more)
	}
}

func TestAll(t *testing.T) {
	sent := []string{}
	send := func(to string) error { sent = append(sent, to); return nil }
	fails := func(string) error { return errors.New("provider away") }
	here := "81.2.69.142"
	action, err := SendCode("+44 7911 234567", here, fails)
	said(action, err, "")
	action, err = SendCode("+44 7400 123456", here, send)
	said(action, err, strings.Join(sent, ","))
	action, err = SendCode("+44 7400 123456", here, send)
	said(action, err, len(sent))
	if err = Verified("+447400123456"); err == nil {
		fmt.Println("said: told")
	}
	action, err = SendCode("12", here, send)
	said(action, err, "")
}
"""

PHP = """
require 'guard.php';
$sent = []; $here = '81.2.69.142';
$send = function (string $to) use (&$sent) { $sent[] = $to; };
$fails = function (string $to) { throw new RuntimeException('provider away'); };
function attempt(string $phone, callable $send)
{
    try {
        sendCode($phone, '81.2.69.142', $send);
    } catch (Throwable $error) {
        echo $error->getMessage(), PHP_EOL;
    }
}
attempt('+44 7911 234567', $fails);
echo sendCode('+44 7400 123456', $here, $send), ' ', implode(',', $sent), PHP_EOL;
echo sendCode('+44 7400 123456', $here, $send), ' ', count($sent), PHP_EOL;
echo verified('+447400123456')['accepted'] === 1 ? 'told' : 'not told', PHP_EOL;
attempt('12', $send);
"""


IMPATIENT = re.compile(r"\b1500\b(?= \* time\.Millisecond|\)|,)")
"""The milliseconds that each program waits: as on the page, but on a busy machine a minute."""


def example(language: str) -> str:
    """The first example in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None
    return IMPATIENT.sub("60000", found[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """By the policy of the page."""
    patient = ("--deadline", "60")
    with Running(tmp_path, "memory://", *patient, policy=example("toml")) as running:
        (tmp_path / "tokens").write_text(f"{TOKEN}\n")
        yield running


def test_curl(service: Running, tmp_path: Path) -> None:
    script = example("sh").replace("http://127.0.0.1:8322", service.url)
    found = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert '"action":"allow"' in found.stdout


LANGUAGES = {
    "node": ("js", "guard.mjs", "run.mjs", NODE, ["run.mjs"]),
    "go": ("go", "codes.go", "codes_test.go", GO, ["test", "-v", "./codes.go", "./codes_test.go"]),
    "php": ("php", "guard.php", "run.php", f"<?php {PHP}", ["run.php"]),
}
"""By program: the page's language, its file, the file that uses it, and how that is run."""

AT_HAND = [program for program in LANGUAGES if shutil.which(program)]

if AT_HAND:

    @pytest.mark.parametrize("program", AT_HAND)
    def test_a_program(service: Running, tmp_path: Path, program: str) -> None:
        """Sent, refused as too soon, verified; what was not sent is given back; a mistake has
        words."""
        language, file, user, using, command = LANGUAGES[program]
        code = example(language).replace("http://127.0.0.1:8322", service.url)
        (tmp_path / file).write_text(code)
        (tmp_path / user).write_text(using)
        # Go without a C compiler, and with the cache that it has.
        environment = {**os.environ, "PUMPGUARD_TOKEN": TOKEN, "CGO_ENABLED": "0"}
        ran = subprocess.run(
            [str(shutil.which(program)), *command],
            capture_output=True, text=True, cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert told(ran.stdout) == SAID, ran.stdout + ran.stderr
        end = time.monotonic() + PATIENT
        while service.ask("/v1/explain", {"phone": UNSENT})[1]["action"] != "allow":
            assert time.monotonic() < end  # it is told behind the reply
            time.sleep(0.05)


def told(stdout: str) -> list[str]:
    """What a program has said, without what Go's own tests say around it."""
    lines = [line.rstrip() for line in stdout.splitlines()]
    said = [line.removeprefix("said: ") for line in lines if line.startswith("said: ")]
    return said or lines
