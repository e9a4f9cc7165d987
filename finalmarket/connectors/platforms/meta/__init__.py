"""Meta: Facebook (catalogue, orders, events) and Instagram (conversations, comments), two accounts of one Graph API.

The sections lie in files beside this one: graph (what both repeat), facebook with goods, orders and conversions,
instagram with talk.
"""

from finalmarket.connectors.platforms.meta.facebook import Facebook
from finalmarket.connectors.platforms.meta.instagram import Instagram

__all__ = ["Facebook", "Instagram"]
