"""Which sales channel a person means who names it on the command line."""

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError


def channel_named(given: str) -> SalesChannel:
    """Return the channel by its slug or number. Raises UserError where there is none."""
    found = SalesChannel.objects.filter(slug=given).first()
    if found is None and given.isascii() and given.isdigit() and len(given) < 19:
        found = SalesChannel.objects.filter(pk=int(given)).first()
    if found is None:
        raise UserError(f"there is no sales channel {given!r}")
    return found
