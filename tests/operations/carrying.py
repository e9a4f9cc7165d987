"""A waiting job carried out as the worker would, in this thread, with the arguments that stand in its row."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from django.db import connection

from finalmarket.kernel import jobs
from finalmarket.worker import registry


def carry_out(name: str) -> None:
    """Carry out the one job of this name that waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, args::text FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s", [name])
        ((number, arguments),) = cursor.fetchall()
    context: Any = SimpleNamespace(job=SimpleNamespace(id=number))
    registry._carried_out(jobs.declared()[name])(context, **json.loads(arguments))
