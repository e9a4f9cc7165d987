"""Keys are shown once, kept as digests, bound, rotated with grace, and end when they are said to."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import connection

from finalmarket.access import keys, rates
from finalmarket.access.models import ApiKey
from finalmarket.channels.models import SalesChannel
from finalmarket.cli.apikey import command
from finalmarket.kernel import clock
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection

READ = ["journeys:read"]


def test_a_key_is_shown_once_and_only_its_digest_is_kept(db: None) -> None:
    row, shown = keys.create("till", READ)
    row.refresh_from_db()
    secret = shown.split("_", 2)[2]
    kept = [str(getattr(row, field.attname)) for field in row._meta.concrete_fields]
    assert not [value for value in kept if secret in value or shown in value]
    assert keys.admit(shown).key_id == row.pk


@pytest.mark.parametrize("spoil", [lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), lambda key: key[:-1],
                                   lambda key: "", lambda key: f"{key}\x00", lambda key: key.upper()])  # fmt: skip
def test_a_key_that_differs_in_one_character_opens_nothing(db: None, spoil) -> None:  # type: ignore[no-untyped-def]
    _, shown = keys.create("till", READ)
    with pytest.raises(keys.NotLetIn, match="none of ours"):
        keys.admit(spoil(shown))


def test_an_expired_key_says_when_it_expired_and_only_to_its_holder(db: None) -> None:
    with clock.steered() as now:
        row, shown = keys.create("till", READ, expires_at=clock.now() + timedelta(days=1))
        keys.admit(shown)
        now.advance(timedelta(days=1))
        with pytest.raises(keys.NotLetIn, match="expired on"):
            keys.admit(shown)
        with pytest.raises(keys.NotLetIn, match="none of ours"):
            keys.admit(f"fm_{row.prefix}_{'x' * 43}")


def test_the_key_before_works_through_its_days_of_grace_and_no_longer(db: None) -> None:
    with clock.steered() as now:
        old, before = keys.create("till", READ)
        new, after = keys.rotate(old.pk, grace=timedelta(days=7))
        assert keys.admit(before).family == keys.admit(after).family
        assert (new.scopes, new.channel_ids) == (old.scopes, old.channel_ids)
        now.advance(timedelta(days=7))
        keys.admit(after)
        with pytest.raises(keys.NotLetIn, match="ended on"):
            keys.admit(before)


def test_a_key_is_replaced_once(db: None) -> None:
    row, _ = keys.create("till", READ)
    keys.rotate(row.pk)
    with pytest.raises(UserError, match="replaced already"):
        keys.rotate(row.pk)


def test_a_revoked_key_opens_nothing_from_then_on(db: None) -> None:
    row, shown = keys.create("till", READ)
    keys.revoke(row.pk)
    with pytest.raises(keys.NotLetIn, match="ended on"):
        keys.admit(shown)


def test_a_key_that_is_bound_to_channels_cannot_look_at_persons_over_all_of_them(db: None) -> None:
    channel = SalesChannel.objects.create(name="App", channel_type="mobile")
    with pytest.raises(UserError, match="all channels"):
        keys.create("app", ["journeys:read", "customers:read"], channels=[channel.pk])


def test_the_deletion_of_its_channel_never_widens_a_key(db: None) -> None:
    channel = SalesChannel.objects.create(name="App", channel_type="mobile")
    other = SalesChannel.objects.create(name="Web", channel_type="web")
    _, shown = keys.create("app", READ, channels=[channel.pk])
    channel.delete()
    assert not keys.admit(shown).may_touch(other.pk)


@pytest.mark.parametrize(("given", "word"), [
    ({"name": " "}, "name"), ({"scopes": []}, "choose scopes"), ({"scopes": ["all"]}, "not 'all'"),
    ({"channels": [10**9]}, "no sales channel"), ({"calls_per_minute": 0}, "calls a minute"),
])  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(db: None, given: dict[str, object], word: str) -> None:
    named = {"name": "till", "scopes": READ, **given}
    with pytest.raises(UserError, match=word):
        keys.create(**named)  # type: ignore[arg-type]
    assert not ApiKey.objects.exists()


def test_use_is_noted_once_a_minute(db: None) -> None:
    with clock.steered() as now:
        row, shown = keys.create("till", READ)
        first = clock.now()
        keys.admit(shown)
        now.advance(timedelta(seconds=59))
        keys.admit(shown)
        row.refresh_from_db()
        assert row.last_used_at == first
        now.advance(timedelta(seconds=2))
        keys.admit(shown)
        row.refresh_from_db()
        assert row.last_used_at == clock.now()


def test_a_bucket_gives_its_calls_at_once_and_then_as_it_fills() -> None:
    family = ApiKey().family
    rates.forget()
    with clock.steered() as now:
        assert [rates.take(family, 3).wait_seconds for _ in range(4)] == [0, 0, 0, 20]
        now.advance(timedelta(seconds=19))
        assert rates.take(family, 3).wait_seconds == 1
        now.advance(timedelta(seconds=1))
        assert rates.take(family, 3).wait_seconds == 0


def test_keys_are_made_listed_rotated_and_ended_from_the_command_line(db: None) -> None:
    run = CliRunner().invoke
    made = run(command, ["create", "till", "--scope", "journeys:read", "--days", "30"])
    assert made.exit_code == 0, made.output
    shown = made.stdout.strip().rpartition(" ")[2]
    row = ApiKey.objects.get()
    keys.admit(shown)
    listed = run(command, ["list"]).stdout
    assert f"fm_{row.prefix}" in listed
    assert shown not in listed
    again = run(command, ["rotate", str(row.pk), "--grace-days", "0"]).stdout.strip().rpartition(" ")[2]
    keys.admit(again)
    run(command, ["revoke", str(row.pk + 1)])
    for gone in (shown, again):
        with pytest.raises(keys.NotLetIn):
            keys.admit(gone)


@pytest.mark.committed_database
def test_a_key_is_seen_as_it_stands_also_after_the_database_has_ended_the_connection_that_looks() -> None:
    row, key = keys.create("till", ["carts:read"])
    assert keys.admit(key).name == "till"
    with open_connection({**owner_database(), "NAME": connection.settings_dict["NAME"]}) as owner:
        ended = owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'finalmarket keys' AND datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]
    assert keys.admit(key).key_id == row.pk
    keys.revoke(row.pk)
    with pytest.raises(keys.NotLetIn, match="was ended"):
        keys.admit(key)
