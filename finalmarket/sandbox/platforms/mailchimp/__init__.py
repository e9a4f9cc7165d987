"""A Mailchimp account with one audience: members with statuses and tags, a shop's data, what people do with mails,
signed webhooks, and the round trip of OAuth (https://mailchimp.com/developer/marketing/api/).

Its floors: office.py below, hooks.py on it, then audience.py, and shop.py on top. What a test plays of the outside
world stands in audience.py: somebody signs up (`sign_up`), leaves (`leave`), opens or follows a mail (`act`); an
address is no good (`clean`); the merchant changes a member by hand (`change_by_hand`).
"""

from __future__ import annotations

from finalmarket.sandbox.platforms.mailchimp.office import CENTRE, CLIENT_ID, CLIENT_SECRET, KEY, LIST
from finalmarket.sandbox.platforms.mailchimp.shop import Shop

__all__ = ["CENTRE", "CLIENT_ID", "CLIENT_SECRET", "KEY", "LIST", "Mailchimp"]


class Mailchimp(Shop):
    """One account."""

    slug = "mailchimp"
