"""What programs did is written down for good: the role that serves them can neither change nor remove a line."""

import pytest
from django.db import ProgrammingError, transaction

from finalmarket.access import audit, keys
from finalmarket.access.models import AuditEntry


def test_nobody_who_serves_can_change_or_remove_a_line(db: None) -> None:
    row, _ = keys.create("till", ["journeys:write"])
    audit.note(row.pk, "start_journey", "journey 17", 201)
    for spoil in (lambda: AuditEntry.objects.update(subject="nothing"), lambda: AuditEntry.objects.all().delete()):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            spoil()
    assert AuditEntry.objects.get().subject == "journey 17"
