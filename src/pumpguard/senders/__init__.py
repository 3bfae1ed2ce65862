"""Senders: thin ways to the providers that carry the messages, one for each.

from pumpguard import sender
from pumpguard.senders import Twilio

send_sms = sender(Twilio("AC…", token, from_="+15005550006", max_price=0.10))
await send_sms("+447400123456", "Your code is 123456")
"""

from pumpguard.senders.aws import EndUserMessaging, Sns
from pumpguard.senders.base import HttpSender, NotSent, ProviderAway, Sender, SendUnknown
from pumpguard.senders.bird import Bird, MessageBird
from pumpguard.senders.infobip import Infobip
from pumpguard.senders.plivo import Plivo
from pumpguard.senders.sinch import Sinch
from pumpguard.senders.telnyx import Telnyx
from pumpguard.senders.twilio import Twilio, TwilioVerify
from pumpguard.senders.vonage import Vonage

__all__ = [
    "Bird",
    "EndUserMessaging",
    "HttpSender",
    "Infobip",
    "MessageBird",
    "NotSent",
    "Plivo",
    "ProviderAway",
    "SendUnknown",
    "Sender",
    "Sinch",
    "Sns",
    "Telnyx",
    "Twilio",
    "TwilioVerify",
    "Vonage",
]
