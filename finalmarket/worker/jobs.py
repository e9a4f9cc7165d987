"""The worker's own job: finished jobs are kept for three days, for whoever asks what happened."""

from django.db import connection

from finalmarket.kernel.jobs import job

KEPT_DAYS = 3
ROWS_AT_ONCE = 10_000


@job("worker.tidy", cron="17 * * * *")
def tidy() -> None:
    """Remove finished jobs that ended more than three days ago, at most 10,000 a run; failed ones stay for a month."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs WHERE id IN (
                SELECT j.id FROM procrastinate_jobs j
                WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
                  AND NOT EXISTS (
                      SELECT 1 FROM procrastinate_events e
                      WHERE e.job_id = j.id
                        AND e.at > now() - make_interval(days => CASE WHEN j.status = 'succeeded' THEN %s ELSE 30 END))
                LIMIT %s)
            """,
            [KEPT_DAYS, ROWS_AT_ONCE],
        )
