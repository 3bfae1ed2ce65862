"""No whole number and no whole address is on any page, wherever it has come from."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType, example_number_for_type, format_number

from pumpguard import Action, Attempt, Decision, Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.decision import Finding
from pumpguard.masking import block_of
from pumpguard.ops.console.text import masked_listing
from pumpguard.ops.masking import masked_evidence, masked_text, without
from pumpguard.overrides.lists import Listing
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.testing import make_attempt
from tests.ops.console.operator import Operator

REGIONS = ("GB", "US", "FR", "UZ", "IE", "SG", "NO", "SH", "CN")
ADDRESSES = st.ip_addresses().map(str)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Mobile numbers of many countries, short ones among them."""
    region = draw(st.sampled_from(REGIONS))
    example = example_number_for_type(region, PhoneNumberType.MOBILE)
    assert example is not None
    e164 = format_number(example, Format.E164)
    return e164[:-3] + draw(st.from_regex("[0-9]{3}", fullmatch=True))


class Talkative:
    """A rule of somebody's own whose evidence repeats all that it has been given."""

    name, mode, weight = "talkative", "enforce", 1.0
    code = "SAID"

    def judge(self, attempt: Attempt) -> Finding:
        said = {
            "phone": attempt.phone.e164,
            "digits": attempt.phone.e164[1:],
            "national": attempt.phone.national,
            "block": attempt.phone.e164[:-1],
            "address": attempt.client.address,
            "network": attempt.client.network,
            "session": attempt.session,
            "account": attempt.account,
        }
        return Finding(self.name, Action.BLOCK, self.code, said)


@given(
    numbers(), ADDRESSES, st.text("abc ,;:()'\"", max_size=5), st.text("xyz ,;()'\"", max_size=5)
)
def test_what_people_write_is_masked(phone: str, address: str, before: str, after: str) -> None:
    """In a reason, such as 'asked for by +44…'."""
    told = masked_text(f"{before} {phone} {after} {address} {after}")
    assert phone not in told
    assert not re.search(rf"(?<![0-9a-f.:]){re.escape(address)}(?![0-9a-f.:])", told)


def test_what_is_no_number_is_left_alone() -> None:
    """Times, sums, blocks, versions and rates."""
    for text in ("surge in +99890 since 2026-11-22 19:50:03", "limit=3, used=480.123456789012",
                 "203.0.113.0/24 and 2001:db8::/32", "ticket 12345678, v1.2.3", "since=1763840000",
                 "a: b, 10:30:15"):  # fmt: skip
        assert masked_text(text) == text


@given(numbers(), ADDRESSES)
def test_entries_of_lists_are_masked(phone: str, address: str) -> None:
    """A prefix may be as long as a number, and a network as small as one host."""
    for kind, shown in (
        ("prefix", phone),
        ("network", f"{address}/{128 if ':' in address else 32}"),
    ):
        listing = Listing(verdict="deny", kind=kind, value=shown, shown=shown, author="m", at=0)  # type: ignore[arg-type]
        told = masked_listing(listing)
        assert shown.partition("/")[0] != told.partition("/")[0]
        assert "•" in told


def test_blocks_are_shown_as_they_are() -> None:
    for kind, shown in (("prefix", "+99890"), ("prefix", "+8801712345"),
                        ("prefix", "+447400123"), ("network", "203.0.113.0/24"), ("country", "GB"),
                        ("network", "2001:db8::/32")):  # fmt: skip
        listing = Listing(verdict="deny", kind=kind, value=shown, shown=shown, author="m", at=0)  # type: ignore[arg-type]
        assert masked_listing(listing) == shown


@given(numbers())
def test_a_block_of_a_finding_is_shown_and_its_number_is_not(phone: str) -> None:
    """In explanations and in alerts: the order to give needs its digits."""
    attempt = make_attempt(phone)
    block = block_of(attempt.phone.prefix(3), attempt.phone.e164)
    assert block is not None
    found = Finding("surge", Action.BLOCK, "PREFIX_SURGE", {"prefix": block}, subject=block)
    told = Decision(attempt, Action.BLOCK, (found,)).explain()
    assert f"prefix={block}" in told
    assert phone not in told
    assert phone[-3:] not in told.replace(block, "")
    assert masked_evidence(found.evidence) == f"prefix={block}"


def test_a_message_repeats_nothing_that_was_typed() -> None:
    assert without("network: expected a CIDR ('+447400123456' …)", ["+447400123456", ""]) == (
        "network: expected a CIDR ('•••' …)"
    )


@settings(max_examples=5, phases=[Phase.generate])
@given(phone=numbers(), address=st.ip_addresses(v=4).map(str))
async def test_no_page_shows_any(phone: str, address: str) -> None:
    """A sweep: requests, lists, overrides, alerts and errors, all about one number and one host."""
    limit = RateLimit(name="limit", by="everything", limits="100/day")
    policy = Policy(send="/s", rules=[limit], secret="a well kept secret")
    async with Guard(policy, "memory://") as guard:
        operator = Operator(guard)
        await operator.sign_in(author=f"mike {phone}")
        decision = await guard.assess(guard.attempt(phone, address, account=phone))
        talk = Talkative().judge(decision.attempt)
        guard.record(Decision(decision.attempt, Action.BLOCK, (talk,)))
        guard.listeners.alerted(Alert("BUDGET_LOW", "x", talk.evidence, phone, 0.0))
        why = {"lasting": "24h", "reason": f"{phone} from {address}"}
        pages = []
        for kind, value in (("number", phone), ("prefix", phone), ("network", address),
                            ("account", phone), ("network", phone),
                            ("country", phone)):  # fmt: skip
            form = {"verdict": "deny", "kind": kind, "value": value, **why}
            pages.append(await operator.submit("/lists", **form))
        pages.append(await operator.submit("/posture", posture="closed", country=phone, **why))
        pages.append(await operator.submit("/posture", posture="closed", **why))
        pages += [await operator.get(), await operator.get("/events"),
                  await operator.api("GET", "/overrides")]  # fmt: skip
        assert len((await guard.overrides.show()).listings) == 4
        for page in pages:
            text = unescape(page.body.decode())
            for secret in (phone, phone[1:]):
                assert secret not in text
            assert not re.search(rf"(?<![0-9.]){re.escape(address)}(?![0-9.])", text)
