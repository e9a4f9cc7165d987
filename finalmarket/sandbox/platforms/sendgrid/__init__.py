"""A SendGrid account: contacts that show up later than they are told, lists and fields, mails to single persons, lists
of those who get none, and signed events (https://www.twilio.com/docs/sendgrid/api-reference).

Its floors: office.py below, contacts.py and hooks.py on it, mail.py on top. What a test plays of the outside world
stands in mail.py: somebody opens a mail (`open_mail`), follows a link (`click_mail`), complains (`complain`), wants no
more (`unsubscribe`); an address is no good (`bounce`).
"""

from __future__ import annotations

from finalmarket.sandbox.platforms.sendgrid.contacts import Contacts
from finalmarket.sandbox.platforms.sendgrid.hooks import public_key, signature
from finalmarket.sandbox.platforms.sendgrid.mail import Mail
from finalmarket.sandbox.platforms.sendgrid.office import GROUP, KEY, SENDER

__all__ = ["GROUP", "KEY", "SENDER", "SendGrid", "public_key", "signature"]


class SendGrid(Contacts, Mail):
    """One account."""

    slug = "sendgrid"
