"""The worker's own jobs: finished jobs are kept for three days, and what a killed worker left is taken up again."""

from django.db import connection

from finalmarket.kernel.jobs import job

KEPT_DAYS = 3
ROWS_AT_ONCE = 10_000


@job("worker.tidy", cron="17 * * * *")
def tidy() -> None:
    """Remove finished jobs that ended more than three days ago, 10,000 at a time; failed ones stay for a month."""
    while _remove_finished() == ROWS_AT_ONCE:
        continue


def _remove_finished() -> int:
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
        return int(cursor.rowcount)


@job("worker.rescue", cron="* * * * *")
def rescue() -> None:
    """Put back the jobs of workers that gave no sign of life for two minutes: they were killed, or their host was.

    A job whose successor (same queueing lock) waits already, or was lost too, is closed as failed instead.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH lost AS (
                SELECT j.id, j.queueing_lock FROM procrastinate_jobs j
                LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
                WHERE j.status = 'doing' AND coalesce(w.last_heartbeat, '-infinity') < now() - interval '2 minutes'
                FOR UPDATE OF j SKIP LOCKED LIMIT 1000),
            told AS (
                SELECT id, queueing_lock, max(id) OVER (PARTITION BY queueing_lock) AS last FROM lost)
            SELECT CASE WHEN told.queueing_lock IS NOT NULL AND (told.id < told.last OR EXISTS (
                       SELECT 1 FROM procrastinate_jobs t
                       WHERE t.status = 'todo' AND t.queueing_lock = told.queueing_lock))
                   THEN procrastinate_finish_job_v1(told.id, 'failed', false)
                   ELSE procrastinate_retry_job_v2(told.id, now(), NULL, NULL, NULL) END
            FROM told
            """
        )
