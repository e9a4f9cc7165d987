"""On which channel talk happens: the account's own, else one of a fitting type that is made once for the account."""

from __future__ import annotations

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import ChannelIntegration, ExternalId

KIND = "talk_channel"
Type = SalesChannel.ChannelType
BY_ACCOUNT = {
    "email": Type.EMAIL, "chat": Type.CHAT, "crm": Type.EMAIL, "analytics": Type.WEB, "social_commerce": Type.SOCIAL,
}  # fmt: skip
BY_MEDIUM = {"chat": Type.CHAT, "email": Type.EMAIL, "phone": Type.PHONE, "social": Type.SOCIAL, "web": Type.WEB}


def seat(integration: ChannelIntegration, medium: str = "") -> SalesChannel:
    """The channel on which something is said or done: `medium` as conversations name it, "" for the account's own kind
    of talk. The caller is within a transaction."""
    if integration.sales_channel is not None:
        return integration.sales_channel
    kind = BY_MEDIUM.get(medium) or BY_ACCOUNT.get(integration.integration_type, Type.CHAT)
    return _made_before(integration, kind) or _make(integration, kind)


def seats(integration: ChannelIntegration) -> list[int]:
    """All channels on which talk of the account has been kept, whatever it belongs to today."""
    made = ExternalId.objects.filter(integration=integration, kind=KIND).values_list("local_id", flat=True)
    own = [integration.sales_channel_id] if integration.sales_channel_id else []
    return [*own, *made]


def _made_before(integration: ChannelIntegration, kind: str) -> SalesChannel | None:
    known = ExternalId.objects.filter(integration=integration, kind=KIND, external_id=kind)
    return SalesChannel.objects.filter(pk__in=known.values("local_id")).first()


@transaction.atomic
def _make(integration: ChannelIntegration, kind: str) -> SalesChannel:
    """Streams of one account may get here together: the second finds what the first has made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{KIND}:{integration.pk}"])
    made = _made_before(integration, kind)
    if made is None:
        name = f"{str(integration)[:150]} ({Type(kind).label})"
        if SalesChannel.objects.filter(name=name).exists():
            name = f"{name} {integration.pk}"
        made = SalesChannel.objects.create(name=name, slug=f"talk-{integration.pk}-{kind}", channel_type=kind)
        ExternalId.objects.create(integration=integration, kind=KIND, external_id=kind, local_id=made.pk)
    return made
