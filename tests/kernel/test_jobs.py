from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.periodic import PeriodicDeferrer
from procrastinate.testing import InMemoryConnector

from finalmarket.kernel import jobs
from finalmarket.worker import jobs as own
from tests.conftest import TestDatabase


def waiting() -> list[tuple[str, object]]:
    """The jobs that wait, with their arguments."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args::text FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return list(cursor.fetchall())


def states() -> list[str]:
    """How every job stands, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text FROM procrastinate_jobs ORDER BY id")
        return [state for (state,) in cursor.fetchall()]


def take_all() -> None:
    """A worker takes every job that waits, and is never heard of again."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")


@pytest.fixture
def greeting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A job that notes whom it greeted."""
    greeted: list[str] = []
    monkeypatch.setattr(jobs, "_declared", dict(jobs.declared()))
    declared = jobs.job("test.greet")(lambda whom: greeted.append(whom))
    app.task(name="test.greet")(declared)
    yield greeted
    del app.tasks["test.greet"]


@pytest.mark.django_db
def test_a_job_exists_exactly_when_what_it_is_about_exists(greeting: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        User.objects.create_user("ann")
        jobs.enqueue("test.greet", whom="ann")
        raise ZeroDivisionError
    assert waiting() == []
    with transaction.atomic():
        User.objects.create_user("ann")
        jobs.enqueue("test.greet", whom="ann")
    assert waiting() == [("test.greet", '{"whom": "ann"}')]


@pytest.mark.django_db
def test_a_job_that_a_worker_puts_off_belongs_to_its_transaction_too(greeting: list[str]) -> None:
    with app.replace_connector(InMemoryConnector()), pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("test.greet", whom="ann")
        assert len(waiting()) == 1
        raise ZeroDivisionError
    assert waiting() == []


@pytest.mark.django_db
def test_an_urgent_job_is_taken_before_those_that_waited_longer(greeting: list[str]) -> None:
    jobs.job("test.run", is_urgent=True)(lambda: None)
    slow, urgent = jobs.enqueue("test.greet", whom="ann"), jobs.enqueue("test.run")
    assert slow is not None and urgent is not None
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [cursor.fetchone()[0]])
        assert cursor.fetchone() == (urgent,)


@pytest.mark.django_db
def test_a_second_job_with_the_same_lock_is_not_wanted_and_harms_nobodys_transaction(greeting: list[str]) -> None:
    with transaction.atomic():
        assert jobs.enqueue("test.greet", queueing_lock="greet-ann", whom="ann") is not None
        assert jobs.enqueue("test.greet", queueing_lock="greet-ann", whom="ann") is None
        User.objects.create_user("ann")
    assert len(waiting()) == 1
    assert User.objects.filter(username="ann").exists()


def test_a_job_that_no_room_declares_is_refused_when_put_off_not_when_run() -> None:
    with pytest.raises(jobs.UnknownJob, match=r"no\.such"):
        jobs.enqueue("no.such")


@pytest.mark.django_db
def test_one_name_is_one_job(greeting: list[str]) -> None:
    with pytest.raises(ValueError, match=r"test\.greet"):
        jobs.job("test.greet")(lambda: None)


def test_every_declared_job_is_known_to_the_worker() -> None:
    assert set(jobs.declared()) <= set(app.tasks)
    periodic = {declared.name for declared in jobs.declared().values() if declared.cron}
    assert periodic == {name for name, _ in app.periodic_registry.periodic_tasks}


def test_jobs_of_a_killed_worker_are_taken_up_again(committed_database: TestDatabase) -> None:
    jobs.enqueue("worker.tidy")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        )
    jobs.declared()["worker.rescue"].run()
    assert waiting() == [("worker.tidy", "{}")]


def test_a_lost_job_whose_successor_waits_already_is_closed(committed_database: TestDatabase) -> None:
    jobs.enqueue("worker.tidy", queueing_lock="tidy")
    take_all()
    jobs.enqueue("worker.tidy", queueing_lock="tidy")
    jobs.declared()["worker.rescue"].run()
    assert states() == ["failed", "todo"]


def test_of_lost_jobs_with_the_same_lock_the_last_comes_back_and_keeps_no_other_from_it(
    committed_database: TestDatabase,
) -> None:
    for _ in range(3):
        jobs.enqueue("worker.tidy", queueing_lock="tidy")
        jobs.enqueue("worker.tidy")
        take_all()
    jobs.declared()["worker.rescue"].run()
    assert states() == ["failed", "todo", "failed", "todo", "todo", "todo"]


@pytest.mark.django_db
def test_all_finished_jobs_go_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "ROWS_AT_ONCE", 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " SELECT 'default', 'worker.tidy', 'succeeded' FROM generate_series(1, 7)"
        )
        cursor.execute(
            "INSERT INTO procrastinate_events (job_id, type, at)"
            " SELECT id, 'succeeded', now() - interval '4 days' FROM procrastinate_jobs"
        )
    jobs.enqueue("worker.tidy")
    own.tidy()
    assert states() == ["todo"]


def test_a_house_that_was_closed_at_night_does_the_work_of_the_night_once_when_it_opens() -> None:
    deferrer = PeriodicDeferrer(registry=app.periodic_registry, **app.periodic_defaults)
    night, morning = datetime(2026, 3, 2, 2, 20, tzinfo=UTC), datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    put_off = [(one.task.name, moment) for one, moment in deferrer.get_previous_tasks(at=morning.timestamp())]
    assert ("analytics.settle", night.timestamp()) in put_off
    assert sorted(name for name, _ in put_off) == sorted(name for name, _ in app.periodic_registry.periodic_tasks)
