"""Keys are replaced while everything runs: those that secrets are encrypted with, and those that programs call with."""

from __future__ import annotations

import ast
import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connections, models

from finalmarket.access import keys, rates
from finalmarket.customers import persons
from finalmarket.integrations import notices, pull, rekey
from finalmarket.integrations.accounts import account_of, keep_secrets
from finalmarket.integrations.models import ChannelIntegration, Credential, ExternalId, NameElsewhere, WebhookEndpoint
from finalmarket.integrations.outgoing import endpoints
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock, places, secrets
from finalmarket.kernel.errors import UserError
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.fake import TOKEN
from tests.api.calling import Program, told
from tests.integrations.conftest import Shop, shop, world
from tests.integrations.stalls import connect
from tests.patience import until

__all__ = ["shop", "world"]
PACKAGE = Path(secrets.__file__).resolve().parents[1]
ROTATIONS = int(os.environ.get("FINALMARKET_PROOF_ROTATIONS", "2"))
DEADLINE_SECONDS = 60
# Bytes that are no secret of ours: what a platform posted, and files of the console on their way in and out.
NOT_SECRET = {"webhook_deliveries.body", "works.given", "works.made"}
# Where secrets are encrypted, by the file that does it; authorize.py keeps them in a session, for ten minutes.
ENCRYPTS = {
    "integrations/accounts.py", "integrations/outgoing/endpoints.py", "integrations/agents/doors.py",
    "integrations/agents/completing.py", "customers/sign_in.py", "integrations/voice/codes.py", "api/door.py",
    "integrations/authorize.py", "integrations/privacy/elsewhere.py",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_key_file(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keys of this test alone, in the data folder that the tests share."""
    monkeypatch.delenv(secrets.VARIABLE, raising=False)
    monkeypatch.setattr(secrets, "FILE", f"encryption-keys-{threading.get_native_id()}")
    rates.forget()
    yield
    (places.data_folder() / secrets.FILE).unlink(missing_ok=True)


def test_every_column_that_holds_a_secret_moves_to_the_new_key() -> None:
    columns = {
        f"{model._meta.db_table}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if (isinstance(field, models.BinaryField) or field.name == "encrypted")
        and model.__module__.startswith("finalmarket")
    }
    moved = {str(place) for place in rekey.PLACES}
    assert columns - moved == NOT_SECRET


def test_nobody_encrypts_where_the_keys_do_not_follow() -> None:
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if encrypts(path.read_text("utf-8"))}
    assert found - {"kernel/secrets.py"} == ENCRYPTS


def encrypts(source: str) -> bool:
    """Whether a module encrypts: it takes `encrypt` from where the secrets are, by whatever name, or off something."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        if isinstance(node, ast.ImportFrom) and node.module == secrets.__name__:
            names |= {name.name for name in node.names}
    return not names.isdisjoint({"encrypt", "*"})


@pytest.mark.parametrize(
    "source",
    [
        "from finalmarket.kernel.secrets import decrypt, encrypt as hide",
        "def late():\n    from finalmarket.kernel.secrets import (\n        encrypt,\n    )",
        "from finalmarket.kernel import secrets as hidden\nhow = hidden.encrypt",
    ],
)
def test_however_a_module_comes_by_it_it_is_found(source: str) -> None:
    assert encrypts(source)
    assert not encrypts(source.replace("encrypt", "decrypt"))


class Load:
    """People at work, each in a thread of their own, until they are told to stop; what went wrong for them is kept."""

    def __init__(self, *verbs: Callable[[int], None]) -> None:
        self.done = dict.fromkeys(range(len(verbs)), 0)
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n, verb)) for n, verb in enumerate(verbs)]

    def _work(self, number: int, verb: Callable[[int], None]) -> None:
        try:
            while not self._stop.is_set():
                verb(self.done[number])
                self.done[number] += 1
        except BaseException as error:
            self.wrong.append(f"{number}: {type(error).__name__}: {error}")
        finally:
            connections.close_all()

    def wait_for_each(self, times: int) -> None:
        """Until each has done it so many times more."""
        wanted = {number: done + times for number, done in self.done.items()}
        until(lambda: self.wrong or all(self.done[one] >= least for one, least in wanted.items()), "all have got on")

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)


@pytest.mark.committed_database
def test_keys_rotate_while_accounts_sync_renew_their_tokens_and_programs_call(
    shop: Shop, record_property: Callable[[str, Any], None]
) -> None:
    account = connect(shop.stand_in, shop.address)
    endpoint, secret = endpoints.open_endpoint("https://example.com/hook", ["*"])
    program = Program()

    def sync(number: int) -> None:
        run = pull.pull(account.integration.pk, "orders")
        assert run is None or run.error == "", run

    def renew(number: int) -> None:
        keep_secrets(account.integration, {"webhook_secret": f"renewed-{number}"})
        held = account_of(ChannelIntegration.objects.get(pk=account.integration.pk)).secrets
        assert held == {"token": TOKEN, "webhook_secret": f"renewed-{number}"}

    def sign(number: int) -> None:
        assert endpoints.secrets_in_force(WebhookEndpoint.objects.get(pk=endpoint.pk)) == [secret]

    def call(number: int) -> None:
        body = {"url": f"https://erp.example/{number}", "topics": ["order.*"]}
        token = f"open-{number}"
        first = told(program.post("/webhooks", body, token=token), 201)
        assert told(program.post("/webhooks", body, token=token), 201) == first  # the answer that tells a secret

    first_key = secrets._all_keys()[0]
    with Load(sync, renew, sign, call) as load:
        load.wait_for_each(1)
        for _ in range(ROTATIONS):
            assert rekey.rotate().unreadable == 0
            load.wait_for_each(1)
    assert load.wrong == []
    assert rekey.drop_old(patience=timedelta()) == ROTATIONS
    assert secrets.count_keys() == 1
    assert account_of(account.integration).secrets["token"] == TOKEN
    assert endpoints.secrets_in_force(WebhookEndpoint.objects.get(pk=endpoint.pk)) == [secret]
    told(program.post("/webhooks", {"url": "https://erp.example/0", "topics": ["order.*"]}, token="open-0"), 201)
    stored = Credential.objects.get(integration=account.integration, name="token").encrypted
    with pytest.raises(InvalidToken):
        first_key.decrypt(bytes(stored))
    record_property("population", f"{sum(load.done.values())} pieces of work during {ROTATIONS} rotations, 0 failed")


@pytest.mark.django_db
def test_an_old_key_stays_while_something_needs_it_and_while_work_may_still_be_under_way() -> None:
    endpoints.open_endpoint("https://example.com/hook", ["*"])
    secrets.add_key()
    assert rekey.needed() == {"webhook_endpoints.secret": 1}
    with pytest.raises(UserError, match="wait"):
        rekey.drop_old()
    with clock.steered() as time_:
        time_.advance(rekey.PATIENCE + timedelta(minutes=1))
        assert rekey.drop_old() == 1
    assert rekey.needed() == {}
    assert endpoints.secrets_in_force(WebhookEndpoint.objects.get())


@pytest.mark.committed_database
def test_whom_a_platform_has_yet_to_erase_is_known_by_name_still_when_the_old_keys_are_gone(shop: Shop) -> None:
    account = connect(shop.stand_in, shop.address)
    with account.shop.lock:
        number = account.shop.meet("Zora Neale", "zora@example.com")
    pull.pull(account.integration.pk, "customers")
    persons.settle()
    erase.erase(ExternalId.objects.get(kind="customer", external_id=number).local_id, actor="olga")
    account.shop.faults.then(Fault.ERROR_BEFORE)  # the platform is away
    notices.tell(account.integration.pk)
    kept = NameElsewhere.objects.get()
    assert rekey.rotate().unreadable == 0
    assert rekey.needed() == {}
    assert rekey.drop_old(patience=timedelta()) == 1
    assert NameElsewhere.objects.get().encrypted != kept.encrypted
    assert secrets.decrypt(NameElsewhere.objects.get().encrypted) == number
    with clock.steered(clock.now() + timedelta(minutes=30)):
        notices.tell(account.integration.pk)
    assert [str(one["id"]) for one in account.effects("customer erased")] == [number]


@pytest.mark.django_db
def test_keys_stay_when_a_secret_can_be_read_by_none_of_them() -> None:
    endpoint, _ = endpoints.open_endpoint("https://example.com/hook", ["*"])
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret=b"gAAAAAnonsense")
    secrets.add_key()
    with pytest.raises(UserError, match="1 stored secrets cannot be read"):
        rekey.drop_old(patience=timedelta())
    assert secrets.count_keys() == 2


@pytest.mark.committed_database
def test_a_programs_key_rotates_under_load_both_work_then_the_old_one_is_refused() -> None:
    program = Program()
    shown = [program.key]

    def ask(which: int) -> Callable[[int], None]:
        def verb(number: int) -> None:
            key = shown[min(which, len(shown) - 1)]
            assert keys.admit(key).name == "web shop"

        return verb

    with clock.steered() as time_:
        with Load(ask(0), ask(1)) as load:
            load.wait_for_each(3)
            shown.append(keys.rotate(program.row.pk, grace=timedelta(days=1))[1])
            load.wait_for_each(3)
        assert load.wrong == []
        assert len(set(shown)) == 2
        time_.advance(timedelta(days=1, seconds=1))
        with pytest.raises(keys.NotLetIn, match="was ended"):
            keys.admit(shown[0])
        assert keys.admit(shown[1]).name == "web shop"
