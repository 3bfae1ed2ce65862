"""The page's code, in Node, against the real command with its hooks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.hooks.servers import SECRET, SERVERS
from tests.serve.running import POLICY, Running

PAGE = (Path(__file__).parents[3] / "docs" / "hooks.md").read_text("utf-8")
NODE = shutil.which("node")

SENDER = """
import pathlib

async def send(phone, text):
    with (pathlib.Path(__file__).parent / "sent").open("a") as file:
        file.write(f"{phone} {text}\\n")
    return "id"
"""

FIRST = """
const asked = [];
const api = { notification: { drop: (why) => asked.push(why) } };
const event = {
  notification: { recipient: "+447400123456", as_text: "Shop", code: "1", delivery_method: "text" },
  request: { ip: "81.2.69.142" }, user: { user_id: "auth0|1" },
  secrets: { GUARD_URL: process.env.GUARD_URL, GUARD_SECRET: process.env.GUARD_SECRET },
};
for (const code of ["1", "2"]) {
  event.notification.code = code;
  await exports.onExecuteCustomPhoneProvider(event, api);
}
console.log(JSON.stringify(asked));
"""

SECOND = """
for (const code of ["1", "2"]) {
  try {
    await sendOTP({ phoneNumber: "+447400123457", code }, { request: new Request("http://a") });
    console.log("sent");
  } catch (error) {
    console.log(error.status, error.body.title);
  }
}
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """With all hooks, and a sender that writes to a file."""
    (tmp_path / "our_sender.py").write_text(SENDER)
    hooks = [f'[[hook]]\nserver = "{each.name}"\nsecret = "{each.secret}"\n' for each in SERVERS]
    text = '[sender]\nprovider = "our_sender:send"\n' + "".join(hooks)
    (tmp_path / "hooks.toml").write_text(text)
    with Running(tmp_path, "memory://", "--hooks", f"{tmp_path}/hooks.toml", policy=POLICY) as it:
        yield it


def test_a_server_posts_to_the_command(service: Running, tmp_path: Path) -> None:
    """From outside, by HTTP; what is not signed gets no further."""
    logto = SERVERS[1]
    status, answer = service.ask(
        "/hooks/logto", logto.body("+447400123456"), authorization=logto.secret
    )
    assert (status, answer) == (200, {"status": "sent"})
    assert service.ask("/hooks/logto", logto.body("+447400123457"))[0] == 401
    assert (tmp_path / "sent").read_text() == "+447400123456 561166 is your code.\n"


if NODE is not None:

    @pytest.mark.parametrize(
        ("example", "run", "said"),
        [(0, FIRST, ['["Too many requests"]']), (1, SECOND, ["sent", "429 Too many requests"])],
        ids=["auth0", "better-auth"],
    )
    def test_the_code_of_the_page(
        service: Running, tmp_path: Path, example: int, run: str, said: list[str]
    ) -> None:
        """The first code goes out, the second is too soon and the server hears so."""
        code = re.findall(r"^```js\n(.*?)^```", PAGE, re.M | re.S)[example]
        stub = "class APIError extends Error { constructor(status, body) { super(status);"
        stub += " this.status = status === 'TOO_MANY_REQUESTS' ? 429 : 403; this.body = body; } }\n"
        code = re.sub(r"^import .*$", stub, code, flags=re.M).replace("export const", "const")
        (tmp_path / "run.mjs").write_text("const exports = {};\n" + code + run)
        server = ("auth0", "better-auth")[example]
        found = subprocess.run(
            [str(NODE), "run.mjs"], capture_output=True, text=True, cwd=tmp_path,
            env={"GUARD_URL": f"{service.url}/hooks/{server}", "GUARD_SECRET": SECRET},
        )  # fmt: skip
        assert found.stdout.splitlines() == said, found.stderr
        assert len((tmp_path / "sent").read_text().splitlines()) == 1


def test_the_page_has_a_section_for_each() -> None:
    """And its file of settings is one."""
    table = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, re.M))
    assert table == {each.name for each in SERVERS}
    assert len(re.findall(r"^## ", PAGE, re.M)) == len(SERVERS)
    assert json.dumps(SECRET) not in PAGE
