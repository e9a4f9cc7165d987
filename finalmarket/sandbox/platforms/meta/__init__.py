"""Meta on one machine: a Facebook business with its catalogue, orders, dataset and page, and an Instagram account."""

from finalmarket.sandbox.platforms.meta.facebook import Facebook
from finalmarket.sandbox.platforms.meta.instagram import Instagram

__all__ = ["Facebook", "Instagram"]
