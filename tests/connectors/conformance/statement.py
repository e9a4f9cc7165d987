"""The class statement: whole, and true."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from finalmarket.connectors.contract import CAPABILITIES, Account, Checked, ReceivesWebhooks, Setting
from finalmarket.connectors.errors import ConnectorError, NeedsAttention
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.registry import find
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import always, changed, check, on_a_double, staged
from tests.connectors.descriptions import vendor_apis

PAGES = Path(__file__).resolve().parents[3] / "docs" / "connectors"


def is_practice(case: Case) -> bool:
    """Whether the platform exists in the sandbox only, and so has no address and no page."""
    return case.connector.is_practice


@check()
def says_who_it_is(case: Case) -> None:
    from finalmarket.integrations.models import ChannelIntegration

    made = case.connector
    assert re.fullmatch(r"[a-z][a-z0-9_]*", made.slug)
    assert made.name.strip() == made.name != ""
    assert made.kind in ChannelIntegration.IntegrationType.values
    assert made.docs.startswith("https://")
    assert made.api_version.strip()
    assert made.base_url.startswith("https://")
    assert is_practice(case) or "example.com" not in made.docs + made.base_url, "still the skeleton's addresses"
    assert case.stand_in.slug == made.slug
    for name in (made.slug, made.name, made.name.upper(), *made.former_names):
        assert find(name).slug == made.slug


@check()
def names_its_pace(case: Case) -> None:
    for rate in (case.connector.rate, *case.connector.rates.values()):
        assert isinstance(rate, Rate)
        assert rate.calls > 0
        assert rate.per_seconds > 0
        assert rate.capacity >= 1


@check()
def names_its_secrets_and_settings(case: Case) -> None:
    made = case.connector
    secrets = (*made.secrets, *made.optional_secrets)
    assert secrets
    assert len(set(secrets)) == len(secrets)
    settings = [setting.name for setting in made.settings]
    assert all(type(setting) is Setting for setting in made.settings)
    assert all(setting.label for setting in made.settings)
    assert len({*settings, *secrets}) == len(settings) + len(secrets), "a setting is named like a secret, or twice"
    account = case.account("http://platform.invalid")
    assert set(made.secrets) <= set(account.secrets), "the case's account lacks secrets that the connector asks for"
    for setting in made.settings:
        assert not setting.is_required or setting.default or account.settings.get(setting.name), setting.name


@check()
def names_what_it_was_checked_against(case: Case) -> None:
    checked = case.connector.checked_against
    assert isinstance(checked, Checked)
    assert checked.what.strip()
    assert date(2026, 1, 1) <= date.fromisoformat(checked.on) <= datetime.now(UTC).date()


@check()
def its_description_is_there(case: Case) -> None:
    folders = case.connector.described_in
    assert isinstance(folders, tuple)
    assert bool(folders) is bool(case.describe), "described_in and the case's describe say different things"
    if folders:
        assert all((vendor_apis() / folder / "PROVENANCE.md").is_file() for folder in folders)
        if case.describe is not None:
            assert case.describe() is not None  # one that cannot be read skips the check, and so says that it was not


@check()
def every_consequence_is_an_error_of_ours(case: Case) -> None:
    for code, kind in case.connector.consequences.items():
        assert code
        assert issubclass(kind, ConnectorError)
        assert kind is not ConnectorError, f"{code}: say what the caller must do"


@check()
def has_a_page_in_the_docs(case: Case) -> None:
    if is_practice(case):
        return
    page = PAGES / f"{case.connector.slug}.md"
    assert page.is_file(), f"{page.name} is missing in docs/connectors"
    assert page.read_text().startswith(f"# {case.connector.name}")


@check()
def what_its_capabilities_demand_is_declared(case: Case) -> None:
    for capability in CAPABILITIES:
        if not issubclass(case.connector, capability):
            continue
        for name, kind in get_type_hints(capability).items():
            value: Any = getattr(case.connector, name, None)
            if value is None and "None" in str(kind):  # None says that there is no such limit
                continue
            assert value is not None, f"{capability.__name__} asks for {name}"
            if "int" in str(kind):
                assert isinstance(value, int)
                assert value >= 1, name


@check(ReceivesWebhooks)
def its_webhook_secrets_are_among_its_secrets(case: Case) -> None:
    made: Any = case.connector
    assert made.webhook_topics
    assert len(set(made.webhook_topics)) == len(made.webhook_topics)
    assert set(made.webhook_secrets) <= {*made.secrets, *made.optional_secrets}


@check()
def the_check_says_whose_account_it_is(case: Case) -> None:
    with staged(case) as stage:
        assert stage.connector.check().strip()


@check()
def the_sandboxs_own_credentials_let_one_in(case: Case) -> None:
    with staged(case) as stage:
        given = stage.stand_in.credentials()
        names = {*case.connector.secrets, *case.connector.optional_secrets}
        secrets = {name: value for name, value in given.items() if name in names}
        settings = {name: value for name, value in given.items() if name not in names}
        account = Account(secrets, settings, base_url=stage.address)
        connector = stage.with_account(account)
        assert connector.check().strip()
        connector.close()


@check()
def wrong_credentials_need_attention(case: Case) -> None:
    with staged(case) as stage:
        signing = getattr(case.connector, "webhook_secrets", ())
        wrong = {name: "wrong-" + value[::-1] for name, value in stage.connector.account.secrets.items()}
        used = {name: value for name, value in wrong.items() if name not in signing or name in case.connector.secrets}
        connector = stage.with_account(changed(stage.connector.account, **used))
        with pytest.raises(NeedsAttention):
            connector.check()
        connector.close()


@check()
def a_connector_that_called_nobody_can_be_closed(case: Case) -> None:
    connector = on_a_double(case, always(500))
    connector.close()
    connector.close()
