"""Accounts on platforms over the REST API: connected without a word of their secrets, tried again, paused, let go."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from finalmarket.access.models import AuditEntry, IdempotentCall
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations import pull, runs
from finalmarket.integrations.accounts import account_of
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DriftFinding, SyncRun
from finalmarket.sandbox.platforms.fake import TOKEN, Fake
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.api.calling import Program, problem, told
from tests.integrations.conftest import Shop, account, shop, world  # noqa: F401  fixtures
from tests.integrations.stalls import Account
from tests.integrations.test_dead_letters import bad_order, mend

pytestmark = pytest.mark.committed_database


def added(program: Program, **said: Any) -> int:
    """Add an account on the practice platform."""
    channel = SalesChannel.objects.create(name="Bazaar", channel_type="marketplace")
    answer = program.post("/integrations", {"platform": "fake", "channel": channel.pk, **said})
    return int(told(answer, 201)["id"])


def test_an_account_is_added_connected_and_asked_whose_it_is(committed_database: object, shop: Shop) -> None:  # noqa: F811
    program = Program("integrations:read", "integrations:write")
    number = added(program)
    assert told(program.get(f"/integrations/{number}"))["health"] == "not connected"
    said = {"credentials": {"token": TOKEN, "base_url": shop.address}}
    connected = told(program.post(f"/integrations/{number}/connect", said))
    assert (connected["status"], connected["account_name"]) == ("active", "Practice shop main")
    assert connected["credentials"] == ["token"]
    words = told(program.post(f"/integrations/{number}/test"))
    assert words == {"said": "Practice platform knows us as Practice shop main."}


def test_no_answer_no_log_and_no_record_holds_a_secret(
    committed_database: object, shop: Shop, caplog: pytest.LogCaptureFixture  # noqa: F811
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    program = Program("integrations:read", "integrations:write")
    number = added(program)
    wrong = program.post(
        f"/integrations/{number}/connect", {"credentials": {"token": "canary-1", "colour": "canary-2"}}
    )
    problem(wrong, "refused", 422)
    refused = program.post(
        f"/integrations/{number}/connect", {"credentials": {"token": "canary-3", "base_url": shop.address}}
    )
    problem(refused, "refused", 422)
    long = problem(program.post(f"/integrations/{number}/connect", {"credentials": {"token": "canary" * 2000}}),
                   "invalid", 422)  # fmt: skip
    good = program.post(f"/integrations/{number}/connect", {"credentials": {"token": TOKEN, "base_url": shop.address}})
    seen = [wrong.content, refused.content, str(long).encode(), good.content, program.get("/integrations").content]
    kept = [*AuditEntry.objects.values(), *IdempotentCall.objects.values(), *ChannelIntegration.objects.values()]
    everything = " ".join([*(one.decode() for one in seen), *map(str, kept), caplog.text])
    assert "canary" not in everything
    assert TOKEN not in everything


def test_who_may_connect_accounts_reads_no_secret_that_is_kept(
    committed_database: object, shop: Shop  # noqa: F811
) -> None:  # fmt: skip
    program, stranger = Program("integrations:read", "integrations:write"), Fake(World(seed=2))
    number = added(program)
    told(program.post(f"/integrations/{number}/connect", {"credentials": {"token": TOKEN, "base_url": shop.address}}))
    with served(stranger) as (address,):
        answer = program.post(f"/integrations/{number}/connect", {"credentials": {"base_url": address}})
        assert "enter the secrets anew (token)" in problem(answer, "refused", 422)["detail"]
        assert stranger.world.journal.entries(platform="fake") == []


def test_a_connection_that_is_sent_twice_is_asked_of_the_platform_once(committed_database: object, shop: Shop) -> None:  # noqa: F811
    program = Program("integrations:read", "integrations:write")
    number = added(program)
    said = {"credentials": {"token": TOKEN, "base_url": shop.address}}
    calls = []
    for _ in range(2):
        told(program.post(f"/integrations/{number}/connect", said, token="once"))
        calls.append(len(shop.stand_in.world.journal.entries(platform="fake")))
    assert calls[0] == calls[1] > 0
    other = {"credentials": {"token": "another"}}
    problem(program.post(f"/integrations/{number}/connect", other, token="once"), "other-call", 422)
    assert account_of(ChannelIntegration.objects.get()).secrets["token"] == TOKEN


def test_an_account_is_paused_resumed_synced_and_let_go(account: Account) -> None:  # noqa: F811
    program = Program("integrations:read", "integrations:write")
    home = f"/integrations/{account.integration.pk}"
    paused = told(program.post(f"{home}/pause", {"reason": "we move house"}))
    assert (paused["health"], paused["health_reason"]) == ("paused", "we move house")
    assert "paused" in problem(program.post(f"{home}/sync"), "refused", 422)["detail"]
    told(program.post(f"{home}/resume"))
    told(program.post(f"{home}/sync"), 202)
    gone = told(program.post(f"{home}/disconnect"))
    assert (gone["status"], gone["credentials"]) == ("disconnected", [])
    verbs = AuditEntry.objects.order_by("id").values_list("operation", flat=True)
    assert list(verbs) == ["pause_integration", "resume_integration", "sync_integration", "disconnect_integration"]


def test_a_record_that_was_set_aside_is_tried_again_and_fails_with_its_newest_reason(account: Account) -> None:  # noqa: F811
    program = Program("integrations:read", "integrations:write")
    number, home = bad_order(account), f"/integrations/{account.integration.pk}"
    (letter,) = told(program.get(f"{home}/letters"))["items"]
    assert letter["external_id"] == number
    problem(program.post(f"{home}/letters/{letter['id']}/replay"), "refused", 422)
    assert DeadLetter.objects.get().attempts == letter["attempts"] + 1
    mend(account, number)
    settled = told(program.post(f"{home}/letters/{letter['id']}/replay"))
    assert settled["settled_by"] == "api:web shop"
    assert told(program.get(f"{home}/letters"))["items"] == []
    assert [one["id"] for one in told(program.get(f"{home}/letters", settled="true"))["items"]] == [letter["id"]]


def test_runs_and_errors_and_drift_are_listed_newest_first(account: Account) -> None:  # noqa: F811
    program, home = Program("integrations:read"), f"/integrations/{account.integration.pk}"
    pull.pull(account.integration.pk, "orders")
    failed = SyncRun(integration=account.integration, stream="drift")
    runs.end(failed, "failed", "the platform does not answer")
    DriftFinding.objects.create(
        integration=account.integration,
        run=failed,
        listing=account.channel.listings.all()[0],
        told=7,
        shown=9,
        should=7,
    )
    assert [one["stream"] for one in told(program.get(f"{home}/runs"))["items"]][:2] == ["drift", "orders"]
    (error,) = told(program.get(f"{home}/runs", outcome="failed"))["items"]
    assert error["error"] == "the platform does not answer"
    (drifted,) = told(program.get(f"{home}/drift"))["items"]
    assert (drifted["told"], drifted["shown"], drifted["should"]) == (7, 9, 7)


def test_a_key_that_is_bound_to_channels_sees_the_accounts_of_these_alone(account: Account) -> None:  # noqa: F811
    other = SalesChannel.objects.create(name="Other", channel_type="web")
    mine = Program("integrations:read", "integrations:write", channels=[other.pk])
    home = f"/integrations/{account.integration.pk}"
    assert told(mine.get("/integrations"))["items"] == []
    problem(mine.get(home), "not-found", 404)
    problem(mine.post(f"{home}/disconnect"), "not-found", 404)
    problem(mine.post("/integrations", {"platform": "fake", "channel": account.channel.pk}), "not-allowed", 403)
    problem(mine.post("/integrations", {"platform": "fake"}), "invalid", 422)
    assert told(mine.post("/integrations", {"platform": "fake", "channel": other.pk}), 201)["channel"] == other.pk


def test_platforms_say_what_they_need_to_be_connected(committed_database: object) -> None:
    found = {one["slug"]: one for one in told(Program("integrations:read").get("/platforms"))["items"]}
    assert "shopify" in found
    assert "fake" not in found
    assert all(one["secrets"] or one["settings"] or "Authorizes" in one["abilities"] for one in found.values())
