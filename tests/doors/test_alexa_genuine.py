"""Only Alexa herself is let in: what is not signed with her key, just now, for this skill, is answered 400."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from finalmarket.api.alexa import genuine
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import VoiceSkill
from finalmarket.integrations.voice.skills import open_skill
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.doors.alexa import APPLICATION, CHAIN_URL, Alexa, alexa

__all__ = ["alexa"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def skill(alexa: Alexa) -> VoiceSkill:
    """A voice channel with its skill."""
    channel = SalesChannel.objects.create(name="Voice", channel_type="voice", country="DE")
    made, _ = open_skill(channel, APPLICATION, [])
    alexa.token = made.token
    return made


def test_a_genuine_request_is_answered_and_its_chain_is_fetched_once(alexa: Alexa) -> None:
    first = alexa.ask(alexa.request("LaunchRequest"))
    assert first["outputSpeech"]["text"].startswith("Welcome to Voice.")
    assert first["shouldEndSession"] is False
    alexa.ask(alexa.request("LaunchRequest"))
    assert alexa.fetched == [CHAIN_URL]


def test_a_chain_is_verified_anew_after_a_day(alexa: Alexa) -> None:
    with clock.steered() as time:
        alexa.ask(alexa.request("LaunchRequest"))
        time.advance(timedelta(hours=25))
        alexa.ask(alexa.request("LaunchRequest"))
    assert len(alexa.fetched) == 2


def _refused(alexa: Alexa, envelope: Any = None, **headers: str) -> None:
    body = json.dumps(envelope or alexa.request("LaunchRequest")).encode()
    answer = alexa.send(body, **headers)
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("place", [0, 40, -3])
def test_a_flipped_bit_of_the_body_is_refused(alexa: Alexa, place: int) -> None:
    body = json.dumps(alexa.request("LaunchRequest")).encode()
    flipped = bytearray(body)
    flipped[place] ^= 1
    answer = alexa.send(bytes(flipped), **{"Signature-256": alexa.signature(body)})
    assert answer.status_code == 400


@pytest.mark.parametrize("signature", ["", "bm9uZQ==", "not base64!", "ü"])
def test_what_is_no_signature_is_refused(alexa: Alexa, signature: str) -> None:
    _refused(alexa, **{"Signature-256": signature})


@pytest.mark.parametrize(
    "url",
    [
        "", "http://s3.amazonaws.com/echo.api/cert.pem", "https://notamazon.com/echo.api/cert.pem",
        "https://s3.amazonaws.com.evil.example/echo.api/cert.pem", "https://s3.amazonaws.com/EcHo.aPi/cert.pem",
        "https://s3.amazonaws.com/invalid.path/cert.pem", "https://s3.amazonaws.com/echo.api/../evil/cert.pem",
        "https://s3.amazonaws.com/echo.api/%2e%2e/evil/cert.pem", "https://s3.amazonaws.com:563/echo.api/cert.pem",
        "https://evil@s3.amazonaws.com/echo.api/cert.pem", "https://s3.amazonaws.com:x/echo.api/cert.pem",
        "https://[/echo.api/cert.pem",
    ],
)  # fmt: skip
def test_a_chain_from_elsewhere_is_not_even_fetched(alexa: Alexa, url: str) -> None:
    _refused(alexa, SignatureCertChainUrl=url)
    assert alexa.fetched == []


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com:443/echo.api/echo-api-cert-12.pem",
        "HTTPS://S3.amazonaws.com/echo.api/../echo.api/echo-api-cert-12.pem",
    ],
)
def test_the_same_address_written_otherwise_is_the_same(alexa: Alexa, url: str) -> None:
    answer = alexa.send(json.dumps(alexa.request("LaunchRequest")).encode(), SignatureCertChainUrl=url)
    assert answer.status_code == 200
    assert alexa.fetched == [CHAIN_URL]


def test_an_expired_certificate_is_refused(alexa: Alexa) -> None:
    alexa.lay_chain(is_over=True)
    _refused(alexa)


def test_a_certificate_for_another_name_is_refused(alexa: Alexa) -> None:
    alexa.lay_chain(alternative="echo-api.amazon.com.evil.example")
    _refused(alexa)


def test_a_chain_that_leads_to_no_trusted_authority_is_refused(alexa: Alexa) -> None:
    alexa.lay_chain(issuer_key="stranger")
    _refused(alexa)


def test_an_authority_of_somebody_elses_machine_is_not_ours(
    alexa: Alexa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(genuine.TRUSTED, str(tmp_path / "nothing.pem"))
    _refused(alexa)


@pytest.mark.parametrize("chain", [b"", b"no certificate", b"-" * 200_000])
def test_what_is_no_chain_is_refused(alexa: Alexa, chain: bytes) -> None:
    alexa.chain = chain
    _refused(alexa)


@pytest.mark.parametrize("seconds", [151, -151, 3600])
def test_a_stale_request_is_refused(alexa: Alexa, seconds: int) -> None:
    with clock.steered():
        _refused(alexa, alexa.request("LaunchRequest", at=clock.now() - timedelta(seconds=seconds)))


def test_an_event_may_come_within_the_hour(alexa: Alexa) -> None:
    with clock.steered():
        made = alexa.request("AlexaSkillEvent.SkillDisabled", at=clock.now() - timedelta(seconds=3_590))
        assert alexa.send(json.dumps(made).encode()).status_code == 200
        made = alexa.request("AlexaSkillEvent.SkillDisabled", at=clock.now() - timedelta(seconds=3_602))
        assert alexa.send(json.dumps(made).encode()).status_code == 400


def test_a_request_without_a_time_is_refused(alexa: Alexa) -> None:
    made = alexa.request("LaunchRequest")
    del made["request"]["timestamp"]
    _refused(alexa, made)


@pytest.mark.parametrize("application", ["amzn1.ask.skill.99999999-2222-3333-4444-555555555555", "", None])
def test_a_request_for_another_skill_is_refused(alexa: Alexa, application: str | None) -> None:
    made = alexa.request("LaunchRequest")
    made["session"]["application"]["applicationId"] = application
    made["context"]["System"]["application"]["applicationId"] = application
    _refused(alexa, made)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"request": 3}'])
def test_whatever_is_signed_but_no_request_is_refused(alexa: Alexa, body: bytes) -> None:
    assert alexa.send(body).status_code == 400


def test_an_address_of_nobodys_and_a_skill_that_is_off_are_not_there(alexa: Alexa, skill: VoiceSkill) -> None:
    body = json.dumps(alexa.request("LaunchRequest")).encode()
    VoiceSkill.objects.update(is_active=False)
    assert alexa.send(body).status_code == 404
    alexa.token = "somebody"
    assert alexa.send(body).status_code == 404


def test_the_machines_own_authorities_are_trusted_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(genuine.TRUSTED, raising=False)
    try:
        genuine.trusted()
    except genuine.NotGenuine as error:
        pytest.skip(f"this machine has no bundle of authorities: {error}")


def test_a_place_that_is_not_reached_refuses(alexa: Alexa, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("nobody answers")

    monkeypatch.setattr("finalmarket.api.alexa.skill.TRANSPORT", lambda: httpx2.MockTransport(nobody))
    _refused(alexa)


@pytest.mark.parametrize("url", ["http://layla.amazon.com/x", "https://a:b@layla.amazon.com/x", "layla", "https:///x"])
def test_customers_are_sent_back_over_https_alone(skill: VoiceSkill, url: str) -> None:
    channel = SalesChannel.objects.create(name="Voice two", channel_type="voice")
    with pytest.raises(UserError, match="is no address such as"):
        open_skill(channel, APPLICATION, [url])


def test_a_channel_of_another_type_gets_no_skill() -> None:
    channel = SalesChannel.objects.create(name="Web", channel_type="web")
    with pytest.raises(UserError, match="is no voice channel"):
        open_skill(channel, APPLICATION, [])
