# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Marking listings whose platform has to be told of an import."""

from __future__ import annotations

from finalmarket.bulk.stage import Stage


def mark_due(stage: Stage, what: str, listings: str) -> int:
    """Mark listings as due; returns how many. `what` is stock, price or content; `listings` a query of their ids.

    A listing that waits already, unclaimed, is only locked, so that whoever claims it next sees the change.
    """
    return stage.run(
        f"""INSERT INTO due_changes AS due
                (listing_id, what, version, settled_version, claimed_version, attempts, last_error)
            SELECT changed.id, '{what}', 1, 0, 0, 0, '' FROM ({listings}) changed(id) ORDER BY changed.id
            ON CONFLICT (listing_id, what) DO UPDATE SET version = due.version + 1, due_since = statement_timestamp()
                WHERE due.version <= greatest(due.settled_version, due.claimed_version)"""
    )
