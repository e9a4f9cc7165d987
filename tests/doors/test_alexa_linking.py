"""Accounts are linked by OAuth: who says who they are, what codes and tokens are good for, and when they end."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from finalmarket.access import rates
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import merging
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.models import LinkCode, VoiceLink, VoiceSkill
from finalmarket.integrations.privacy.erase import erase
from finalmarket.integrations.voice import codes, links
from finalmarket.integrations.voice.skills import new_secret, open_skill
from finalmarket.kernel import clock
from tests.doors.alexa import APPLICATION, Alexa, alexa

__all__ = ["alexa"]
BACK = "https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA"
VERIFIER = "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Linking:
    """A customer with a browser, and Amazon's server that exchanges what the browser brings."""

    def __init__(self) -> None:
        self.channel = SalesChannel.objects.create(name="Voice", channel_type="voice", country="DE")
        self.skill, self.secret = open_skill(self.channel, APPLICATION, [BACK])
        ann = resolve(Contact(name="Ann Lee", email="ann@example.com"), source="test")
        assert ann is not None
        self.ann = ann
        self.browser = Client(enforce_csrf_checks=True)

    def address(self, **words: str) -> str:
        """Where Amazon sends the customer."""
        asked = {
            "response_type": "code", "client_id": self.skill.client_id, "redirect_uri": BACK, "state": "s-1",
            "scope": "", **words,
        }  # fmt: skip
        return f"/voice/alexa/{self.skill.token}/link?{urlencode({key: one for key, one in asked.items() if one})}"

    def post(self, address: str, **form: str) -> Any:
        """Fill in the form of the page."""
        page = self.browser.get(address).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None, page
        return self.browser.post(address, {"csrfmiddlewaretoken": token[1], **form})

    def code_by_mail(self, email: str = "ann@example.com", **words: str) -> str:
        """The whole way of a customer: mail, code, back to Amazon with an authorization code."""
        page = self.post(self.address(**words), email=email).content.decode()
        attempt = re.search(r'name="attempt" value="([\w-]+)"', page)
        assert attempt is not None
        for row in LinkCode.objects.filter(used_at=None):
            codes.mail_code(row.pk)  # as the worker does
        digits = re.search(r"\d{6}", str(mail.outbox[-1].subject))
        assert digits is not None
        return self.code_in(self.post(self.address(**words), attempt=attempt[1], code=digits[0]))

    def code_in(self, answer: Any) -> str:
        """The authorization code with which the customer comes back."""
        assert answer.status_code == 302, answer.content
        back = urlsplit(answer.headers["Location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
        asked = parse_qs(back.query)
        assert asked["state"] == ["s-1"]
        return str(asked["code"][0])

    def token(self, **form: str) -> Any:
        """Amazon's server exchanges something."""
        proof = base64.b64encode(f"{self.skill.client_id}:{self.secret}".encode()).decode()
        return Client().post(
            f"/voice/alexa/{self.skill.token}/token", {"redirect_uri": BACK, **form},
            headers={"Authorization": f"Basic {proof}"},
        )  # fmt: skip

    def exchange(self, code: str, **form: str) -> Any:
        """A code for tokens."""
        return self.token(grant_type="authorization_code", code=code, **form)


@pytest.fixture
def linking(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Linking]:
    """A house that can mail."""
    monkeypatch.setattr(settings, "MAIL_IS_SET", True)
    rates.forget()
    yield Linking()
    rates.forget()


def test_a_mailed_code_links_the_account_and_only_digests_are_kept(linking: Linking) -> None:
    code = linking.code_by_mail()
    given = linking.exchange(code).json()
    assert (given["token_type"], given["expires_in"]) == ("bearer", 3600)
    link = VoiceLink.objects.get()
    assert link.customer == linking.ann
    kept = str(list(VoiceLink.objects.values())) + str(list(LinkCode.objects.values()))
    assert not any(secret in kept for secret in (code, given["access_token"], given["refresh_token"]))
    assert links.whose(linking.skill, given["access_token"]) == link


def test_a_code_that_the_shop_shows_links_the_account_without_a_mail(linking: Linking) -> None:
    shown = codes.show_code(linking.skill, linking.ann.pk, actor="test")
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", shown)
    code = linking.code_in(linking.post(linking.address(), code=shown.lower()))
    assert linking.exchange(code).status_code == 200
    assert linking.post(linking.address(), code=shown).status_code == 403  # once
    assert mail.outbox == []


def test_who_links_proves_to_be_that_profile_and_not_who_is_taken_for_the_same_person(linking: Linking) -> None:
    eve = resolve(Contact(email="eve@example.com"), source="test")
    assert eve is not None
    merging.merge(linking.ann.pk, eve.pk, actor="test")
    linking.exchange(linking.code_by_mail("eve@example.com"))
    assert VoiceLink.objects.get().customer == eve
    assert codes.redeem(linking.skill, "", codes.show_code(linking.skill, eve.pk, actor="test")) == eve.pk


def test_whoever_asks_with_a_strange_address_sees_the_same_page_and_no_mail_goes_out(linking: Linking) -> None:
    known = linking.post(linking.address(), email="ann@example.com").content.decode()
    strange = linking.post(linking.address(), email="eve@example.com").content.decode()

    def without_chance(page: str) -> str:
        return re.sub(r'value="[\w-]{36,}"', "", page)

    assert without_chance(known) == without_chance(strange)
    assert LinkCode.objects.get().customer == linking.ann


def test_an_address_that_many_share_opens_nobodys_account(linking: Linking) -> None:
    resolve(Contact(email="info@example.com"), source="test")
    linking.post(linking.address(), email="info@example.com")
    assert not LinkCode.objects.exists()


def test_after_five_wrong_codes_the_right_one_is_of_no_use(linking: Linking) -> None:
    page = linking.post(linking.address(), email="ann@example.com").content.decode()
    attempt = re.search(r'name="attempt" value="([\w-]+)"', page)
    assert attempt is not None
    codes.mail_code(LinkCode.objects.get().pk)
    right = mail.outbox[0].subject[:6]
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        assert linking.post(linking.address(), attempt=attempt[1], code=wrong).status_code == 403
    assert linking.post(linking.address(), attempt=attempt[1], code=right).status_code == 403


def test_a_mailed_code_is_over_after_ten_minutes_and_works_at_its_own_attempt_alone(linking: Linking) -> None:
    with clock.steered() as time:
        attempt = str(codes.ask_for_code(linking.skill, "ann@example.com"))
        codes.mail_code(LinkCode.objects.get().pk)
        digits = mail.outbox[0].subject[:6]
        other = "5f0c8e21-0f6a-4a3e-92b6-4b0f9d5f5d0e"
        assert linking.post(linking.address(), attempt=other, code=digits).status_code == 403
        time.advance(timedelta(minutes=10))
        assert linking.post(linking.address(), attempt=attempt, code=digits).status_code == 403


def test_nobody_gets_more_than_five_mails_an_hour(linking: Linking) -> None:
    for _ in range(7):
        codes.ask_for_code(linking.skill, "ann@example.com")
    assert LinkCode.objects.count() == 5


def test_a_challenge_that_was_sent_must_be_met(linking: Linking) -> None:
    words = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = linking.code_by_mail(**words)
    assert linking.exchange(code).status_code == 400
    assert linking.exchange(code, code_verifier="w" * 60).json()["error"] == "invalid_grant"
    assert linking.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_a_code_that_comes_twice_ends_the_tokens_that_were_given_for_it(linking: Linking) -> None:
    code = linking.code_by_mail()
    given = linking.exchange(code).json()
    assert linking.exchange(code).json()["error"] == "invalid_grant"
    assert links.whose(linking.skill, given["access_token"]) is None
    again = linking.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_a_code_is_over_after_ten_minutes_and_bound_to_where_it_goes(linking: Linking) -> None:
    with clock.steered() as time:
        code = linking.code_by_mail()
        assert linking.exchange(code, redirect_uri="https://layla.amazon.com/x").json()["error"] == "invalid_grant"
        time.advance(timedelta(minutes=11))
        assert linking.exchange(code).json()["error"] == "invalid_grant"


def test_tokens_are_over_after_an_hour_and_renewed_by_the_other_one(linking: Linking) -> None:
    with clock.steered() as time:
        given = linking.exchange(linking.code_by_mail()).json()
        time.advance(timedelta(hours=1))
        assert links.whose(linking.skill, given["access_token"]) is None
        renewed = linking.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
        assert renewed.status_code == 200
        assert links.whose(linking.skill, renewed.json()["access_token"]) is not None
        assert "refresh_token" not in renewed.json()


@pytest.mark.parametrize(
    "words",
    [
        {"client_id": "somebody"}, {"client_id": ""}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": ""},
        {"redirect_uri": BACK + "/more"}, {"client_id": "alexa-\x00"},
    ],
)  # fmt: skip
def test_nobody_is_sent_to_an_address_that_was_not_registered(linking: Linking, words: dict[str, str]) -> None:
    answer = linking.browser.get(linking.address(**words))
    assert answer.status_code == 400
    assert b"<form" not in answer.content


def test_tokens_in_addresses_are_not_given(linking: Linking) -> None:
    assert linking.browser.get(linking.address(response_type="token")).status_code == 400


def test_who_says_no_is_sent_back_with_that(linking: Linking) -> None:
    answer = linking.post(linking.address(), no="1")
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["error"] == ["access_denied"]


def test_a_form_from_elsewhere_is_refused(linking: Linking) -> None:
    assert linking.browser.post(linking.address(), {"code": "1"}).status_code == 403


def test_who_does_not_know_the_secret_gets_no_tokens(linking: Linking) -> None:
    code = linking.code_by_mail()
    linking.secret = new_secret(linking.skill) + "x"
    assert linking.exchange(code).status_code == 401
    linking.skill.client_id = "alexa-\x00"
    assert linking.exchange(code).status_code == 401


def test_the_client_of_another_skill_is_not_this_one(linking: Linking) -> None:
    other, _ = open_skill(SalesChannel.objects.create(name="Other", channel_type="voice"), APPLICATION, [BACK])
    assert linking.browser.get(linking.address(client_id=other.client_id)).status_code == 400


def test_codes_are_tried_at_no_speed(linking: Linking) -> None:
    with clock.steered():
        answers = [linking.post(linking.address(), code="AAAA").status_code for _ in range(61)]
    assert answers == [403] * 60 + [429]


def test_alexa_tells_when_an_account_is_linked_and_when_the_skill_is_off(linking: Linking, alexa: Alexa) -> None:
    alexa.token = linking.skill.token
    given = linking.exchange(linking.code_by_mail()).json()
    body = {"accessToken": given["access_token"]}
    alexa.send_event("AlexaSkillEvent.SkillAccountLinked", body=body)
    link = VoiceLink.objects.get()
    assert link.user_digest == hashlib.sha256(alexa.user.encode()).hexdigest()
    alexa.user = "amzn1.ask.account.SOMEBODY"
    alexa.send_event("AlexaSkillEvent.SkillDisabled")
    assert links.whose(linking.skill, given["access_token"]) == link
    alexa.user = "amzn1.ask.account.ANN"
    alexa.send_event("AlexaSkillEvent.SkillDisabled")
    assert links.whose(linking.skill, given["access_token"]) is None


@pytest.mark.committed_database
def test_who_is_erased_is_linked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAIL_IS_SET", True)
    rates.forget()
    linking = Linking()
    given = linking.exchange(linking.code_by_mail()).json()
    erase(linking.ann.pk, actor="test")
    assert links.whose(linking.skill, given["access_token"]) is None
    assert not VoiceLink.objects.exists()
    assert not LinkCode.objects.exists()
    assert OmnichannelCustomer.objects.get().erased_at is not None
    assert VoiceSkill.objects.exists()
