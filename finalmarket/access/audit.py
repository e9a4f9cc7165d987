"""What programs did: one line for each write, in one transaction with it. Kept for good; no words of anybody in it."""

from __future__ import annotations

from finalmarket.access.models import AuditEntry


def note(key_id: int, operation: str, subject: str, status: int) -> None:
    """Write down that a key did something. `subject` names what was touched by its number, such as "journey 17"."""
    AuditEntry.objects.create(key_id=key_id, operation=operation[:60], subject=subject[:100], status=status)
