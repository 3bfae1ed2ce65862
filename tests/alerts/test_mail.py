"""Alerts by e-mail, over a real SMTP conversation."""

from __future__ import annotations

import asyncio
import email
import smtplib
from email.message import Message
from typing import Any

import pytest

from pumpguard import Guard, Policy, PolicyError
from pumpguard.alerts.mail import Mail
from tests.alerts.test_webhook import ALERT, ATTACK, IN_WORDS
from tests.loopback import Listening


class MailServer(Listening):
    """Takes mails, or refuses all recipients."""

    def __init__(self, *, refuses: bool = False, offers: str = "AUTH PLAIN") -> None:
        super().__init__()
        self.refuses, self.offers = refuses, offers
        self.heard: list[str] = []
        self.mails: list[Message] = []
        self.logins: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while (line := await reader.readline()).isascii() and line:
            self.heard.append(line.decode().strip())
            writer.write(await self._answer(self.heard[-1], reader, writer))

    async def _answer(
        self, said: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        match said.split()[0].upper():
            case "EHLO":
                return f"250-here\r\n250 {self.offers}\r\n".encode()
            case "AUTH":
                self.logins.append(said)
                return b"235 in\r\n"
            case "RCPT" if self.refuses:
                return b"550 nobody\r\n"
            case "DATA":
                writer.write(b"354 go on\r\n")
                text = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(email.message_from_bytes(text[:-5]))
            case "QUIT":
                return b"221 bye\r\n"
        return b"250 fine\r\n"


def mail(server: MailServer, **settings: Any) -> Mail:
    """By that server."""
    return Mail("127.0.0.1", server.port, sender="pg@example.com", to="ann@example.com", **settings)


async def test_an_alert_is_a_mail_in_words() -> None:
    """The guard waits for it when it closes."""
    async with MailServer() as server:
        guard = Guard(Policy(send="/s"))
        guard.listen(mail(server, user="ann", password="secret"))
        guard.listeners.alerted(ATTACK)
        assert server.mails == []  # it is sent in the background
        await guard.aclose()
    (sent,) = server.mails
    assert sent["Subject"] == "pumpguard: An attack has begun: +8801712345"
    assert (sent["From"], sent["To"]) == ("pg@example.com", "ann@example.com")
    payload = sent.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n").strip() == IN_WORDS
    assert len(server.logins) == 1


async def test_a_mail_that_is_not_taken_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """By its alert, and not by what the server has said."""
    async with MailServer(refuses=True) as server:
        channel = mail(server)
        channel(ALERT)
        await channel.aclose()
    assert "PG111 alert BUDGET_SPENT was not mailed (SMTPRecipientsRefused)" in caplog.text
    assert "nobody" not in caplog.text


async def test_elsewhere_it_is_encrypted_or_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    """A server that cannot is given neither the alert nor a password."""
    async with MailServer() as server:  # 127.1 is 127.0.0.1, and not known for it
        channel = Mail("127.1", server.port, sender="pg@example.com", to="a@b", user="u")
        channel(ALERT)
        await channel.aclose()
    assert [each.split()[0] for each in server.heard] == ["ehlo", "QUIT"]
    assert "PG111 alert BUDGET_SPENT was not mailed (SMTPNotSupportedError)" in caplog.text


async def test_a_server_that_offers_to_encrypt_is_taken_at_its_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """On this machine too."""
    async with MailServer(offers="STARTTLS") as server:
        channel = mail(server, user="u")
        channel(ALERT)
        await channel.aclose()
    assert [each.split()[0] for each in server.heard][:2] == ["ehlo", "STARTTLS"]
    assert server.mails == []
    assert server.logins == []
    assert "PG111" in caplog.text


async def test_where_encryption_comes_first_nothing_is_said_before_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on port 465."""
    async with MailServer() as server:
        monkeypatch.setattr(smtplib, "SMTP_SSL_PORT", server.port)
        channel = mail(server, user="u")
        channel(ALERT)
        await channel.aclose()
    assert server.heard == []
    assert "PG111 alert BUDGET_SPENT was not mailed (SSLError)" in caplog.text


def test_without_an_event_loop_it_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """There is nobody to send it."""
    Mail("smtp.example.com", sender="pg@example.com", to="ann@example.com")(ALERT)
    assert "PG111" in caplog.text


def test_what_is_no_address_is_refused() -> None:
    """Before it is needed."""
    with pytest.raises(PolicyError, match=r"^mail\.to"):
        Mail("smtp.example.com", sender="pg@example.com", to="ann")
    with pytest.raises(PolicyError, match=r"^mail\.deadline"):
        Mail("smtp.example.com", sender="pg@example.com", to="a@b", deadline=0)
