"""Linked accounts: from the authorization code over the tokens to the end. Of codes and tokens the SHA-256 is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from finalmarket.integrations.models import VoiceLink, VoiceSkill
from finalmarket.integrations.voice.skills import digest
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

CODE_FOR = timedelta(minutes=10)
ACCESS_FOR = timedelta(hours=1)
REFRESH_FOR = timedelta(days=400)
"""Whoever does not speak for so long has to link anew; each renewal begins it again."""
USED_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an authorization code is bound to (RFC 6749, 7636)."""

    redirect_url: str
    challenge: str = ""
    challenge_method: str = ""


def grant(skill: VoiceSkill, customer_id: int, code: str, wanted: Wanted) -> VoiceLink:
    """Write down that a customer said yes, under an authorization code that works once within ten minutes."""
    return VoiceLink.objects.create(
        skill=skill, customer_id=customer_id, redirect_url=wanted.redirect_url, code_digest=digest(code),
        code_challenge=wanted.challenge, code_challenge_method=wanted.challenge_method,
        code_ends_at=clock.now() + CODE_FOR,
    )  # fmt: skip


def of_code(skill: VoiceSkill, code: str) -> VoiceLink | None:
    """The link of a code that can be exchanged, locked; within the caller's transaction. A code that comes twice was
    stolen: the tokens that were given for it end."""
    row = VoiceLink.objects.select_for_update().filter(skill=skill, code_digest=digest(code), ended_at=None).first()
    if row is None:
        return None
    if row.linked_at is not None:
        end(row.pk)
        return None
    return row if row.code_ends_at > clock.now() else None


def of_refresh(skill: VoiceSkill, token: str) -> VoiceLink | None:
    """The link that a refresh token renews, locked; None for one that is over."""
    rows = VoiceLink.objects.select_for_update().filter(skill=skill, refresh_digest=digest(token), ended_at=None)
    return rows.filter(refresh_ends_at__gt=clock.now()).first()


def give_tokens(link: VoiceLink, access: str, refresh: str | None) -> None:
    """Let the link have this access token, and this refresh token if it is a new one."""
    now = clock.now()
    link.access_digest, link.access_ends_at = digest(access), now + ACCESS_FOR
    link.refresh_ends_at, link.linked_at = now + REFRESH_FOR, link.linked_at or now
    if refresh is not None:
        link.refresh_digest = digest(refresh)
    link.save(update_fields=["access_digest", "access_ends_at", "refresh_digest", "refresh_ends_at", "linked_at"])


def whose(skill: VoiceSkill, token: str) -> VoiceLink | None:
    """The link that an access token shows, with its customer; None for one of nobody, or that is over."""
    rows = VoiceLink.objects.select_related("customer").filter(skill=skill, access_digest=digest(token), ended_at=None)
    link = rows.filter(access_ends_at__gt=clock.now()).first() if token else None
    if link is None or link.customer.erased_at is not None:
        return None
    if link.used_at is None or link.used_at < clock.now() - USED_AGAIN_AFTER:
        link.used_at = clock.now()
        link.save(update_fields=["used_at"])
    return link


def name_user(link: VoiceLink, user_id: str) -> None:
    """Note what the assistant calls the user who linked the account; links of that user before it end."""
    named = digest(user_id)
    with transaction.atomic():
        others = VoiceLink.objects.filter(skill=link.skill_id, user_digest=named, ended_at=None).exclude(pk=link.pk)
        others.update(ended_at=clock.now(), access_digest="", refresh_digest="")
        VoiceLink.objects.filter(pk=link.pk).update(user_digest=named)


def end_of_user(skill: VoiceSkill, user_id: str) -> int:
    """The user switched the skill off: whatever they linked ends. Returns how many links did."""
    rows = VoiceLink.objects.filter(skill=skill, user_digest=digest(user_id), ended_at=None)
    return rows.update(ended_at=clock.now(), access_digest="", refresh_digest="")


def end(link_id: int, skill: VoiceSkill | None = None) -> None:
    """End a link now; its tokens open nothing any more. Raises UserError where there is none (of this skill)."""
    rows = VoiceLink.objects.filter(pk=link_id)
    if not (rows.filter(skill=skill) if skill else rows).update(
        ended_at=clock.now(), access_digest="", refresh_digest=""
    ):
        raise UserError(f"there is no linked account {link_id}")


def tidy() -> int:
    """Forget codes that nobody exchanged within a day; return how many."""
    old = VoiceLink.objects.filter(linked_at=None, code_ends_at__lt=clock.now() - timedelta(days=1))
    forgotten, _ = old.delete()
    return forgotten
