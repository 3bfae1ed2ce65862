"""Alerts by e-mail, over SMTP."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from math import inf

from pumpguard.alerts import Alert
from pumpguard.alerts.words import headline, words
from pumpguard.background import BackgroundTasks
from pumpguard.config import require
from pumpguard.external import LOOPBACK
from pumpguard.listeners import Listener
from pumpguard.notices import Notices


class Mail(Listener):
    """Mails each alert, in the background: ``guard.listen(Mail("smtp.example.com", …))``.

    The connection is encrypted: from its beginning on port 465, else by STARTTLS; only a server on
    this machine may do without. ``user`` and ``password`` log in, if given. A mail that cannot be
    handed over within ``deadline`` seconds is lost, which is logged (``PG111``); the log has the
    alert itself in any case. Raises `PolicyError`.
    """

    name = "mail"

    def __init__(
        self,
        host: str,
        port: int = 587,
        *,
        sender: str,
        to: str | Sequence[str],
        user: str = "",
        password: str = "",
        deadline: float = 20.0,
    ) -> None:
        recipients = [to] if isinstance(to, str) else list(to)
        whole = all("@" in each and each.isprintable() for each in (sender, *recipients))
        require(recipients and whole, "mail.to", "addresses with an @", "others")
        require(0 < deadline < inf, "mail.deadline", "seconds above 0", deadline)
        self._server, self._deadline = (host, port), deadline
        self._sender, self._to = sender, recipients
        self._user, self._password = user, password
        self._tasks, self._notices = BackgroundTasks(), Notices()

    def alerted(self, alert: Alert) -> None:
        if not self._tasks.start(self._mail(alert)):
            self._lost(alert, "no event loop, or too many at once")

    def __call__(self, alert: Alert) -> None:
        """As a guard's ``on_alert``."""
        self.alerted(alert)

    async def aclose(self) -> None:
        """Wait for mails under way."""
        await self._tasks.done()

    async def _mail(self, alert: Alert) -> None:
        try:
            await asyncio.to_thread(self._send, self._message(alert))
        except Exception as error:  # never what the server said: it may repeat a password
            self._lost(alert, type(error).__name__)

    def _message(self, alert: Alert) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, ", ".join(self._to)
        message["Subject"] = f"pumpguard: {headline(alert)}"
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="pumpguard")
        message.set_content(words(alert))
        return message

    def _send(self, message: EmailMessage) -> None:
        host, port = self._server
        if port == smtplib.SMTP_SSL_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=self._deadline, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, port, timeout=self._deadline)
        with server:
            server.ehlo_or_helo_if_needed()
            encrypted = port == smtplib.SMTP_SSL_PORT
            if not encrypted and (host not in LOOPBACK or server.has_extn("starttls")):
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
            server.send_message(message)

    def _lost(self, alert: Alert, why: str) -> None:
        text = "alert %s was not mailed (%s)"
        self._notices.say("PG111", why, text, alert.code, why, level=logging.ERROR)
