"""The page of a voice channel: what Alexa has to be told, and whose accounts are linked."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.cli import run
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.models import LinkCode, VoiceLink, VoiceSkill
from finalmarket.integrations.voice import codes, links
from finalmarket.stock.models import StockLocation
from tests.console.reading import read
from tests.console.roles import logged_in, person

APPLICATION = "amzn1.ask.skill.11111111-2222-3333-4444-555555555555"
BACK = "https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA"


@pytest.fixture
def voice(db: None) -> SalesChannel:
    return SalesChannel.objects.create(name="Voice", channel_type="voice", country="DE")


def _open(operator: Client, voice: SalesChannel) -> str:
    form = {"application_id": APPLICATION, "redirect_urls": f"{BACK}\n"}
    answer = operator.post(reverse("console:change_voice", args=[voice.pk, "open"]), form)
    found = re.search(r'<code id="made">([\w-]+)</code>', answer.content.decode())
    assert found, answer.content
    return found[1]


def test_a_skill_is_opened_and_its_secret_shown_once(operator: Client, voice: SalesChannel) -> None:
    page = reverse("console:voice", args=[voice.pk])
    assert "Nobody can speak to this channel yet." in read(operator, page)
    assert page in operator.get(reverse("console:channel", args=[voice.pk])).content.decode()
    secret = _open(operator, voice)
    skill = VoiceSkill.objects.get()
    shown = operator.get(page).content.decode()
    assert secret not in shown
    assert all(part in shown for part in (APPLICATION, BACK, skill.client_id, f"/voice/alexa/{skill.token}/token"))
    assert skill.redirect_urls == [BACK]


def test_what_makes_no_sense_is_refused_with_the_reason(operator: Client, voice: SalesChannel) -> None:
    form = {"application_id": "my skill", "redirect_urls": BACK}
    answer = operator.post(reverse("console:change_voice", args=[voice.pk, "open"]), form, follow=True)
    assert "begins with amzn1.ask.skill." in answer.content.decode()
    assert not VoiceSkill.objects.exists()
    assert operator.get(reverse("console:voice", args=[voice.pk + 1])).status_code == 404


def test_a_code_is_shown_and_an_account_is_ended(operator: Client, voice: SalesChannel) -> None:
    _open(operator, voice)
    skill = VoiceSkill.objects.get()
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com"), source="test")
    assert ann is not None
    answer = operator.post(reverse("console:change_voice", args=[voice.pk, "code"]), {"customer": ann.pk})
    found = re.search(r'<code id="code">([\w-]+)</code>', answer.content.decode())
    assert found
    assert codes.redeem(skill, "", found[1]) == ann.pk
    link = links.grant(skill, ann.pk, "code", links.Wanted(BACK))
    links.give_tokens(link, "access", "refresh")
    assert "Ann Lee" in read(operator, reverse("console:voice", args=[voice.pk]))
    operator.post(reverse("console:change_voice", args=[voice.pk, "end"]), {"link": link.pk})
    assert VoiceLink.objects.get().ended_at is not None
    assert links.whose(skill, "access") is None


def test_a_skill_is_switched_off_and_on(operator: Client, voice: SalesChannel) -> None:
    _open(operator, voice)
    operator.post(reverse("console:change_voice", args=[voice.pk, "switch"]))
    assert not VoiceSkill.objects.get().is_active
    operator.post(reverse("console:change_voice", args=[voice.pk, "switch"]), {"on": "1"})
    assert VoiceSkill.objects.get().is_active


def test_who_may_not_change_channels_does_not_see_it(voice: SalesChannel) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("ben", is_staff=True))
    assert browser.get(reverse("console:voice", args=[voice.pk])).status_code == 403
    assert browser.post(reverse("console:change_voice", args=[voice.pk, "secret"])).status_code == 403


def test_who_keeps_channels_but_sees_no_customers_links_no_account_and_ends_none(
    operator: Client, voice: SalesChannel
) -> None:
    _open(operator, voice)
    skill = VoiceSkill.objects.get()
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com"), source="test")
    assert ann is not None
    link = links.grant(skill, ann.pk, "code", links.Wanted(BACK))
    links.give_tokens(link, "access", "refresh")
    merchandiser = logged_in(person("merchandiser"))
    page = merchandiser.get(reverse("console:voice", args=[voice.pk])).content.decode()
    assert "Ann Lee" not in page
    for verb, form in (("code", {"customer": ann.pk}), ("end", {"link": link.pk})):
        address = reverse("console:change_voice", args=[voice.pk, verb])
        assert address not in page
        assert merchandiser.post(address, form).status_code == 403
    assert not LinkCode.objects.exists()
    assert links.whose(skill, "access") == link


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_model_for_the_developer_console_holds_goods_and_stores(
    voice: SalesChannel, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tea = Product.objects.create(title="Green tea (organic)", slug="tea")
    variant = Variant.objects.create(product=tea, sku="TEA-100", title="100 g")
    voice.add_product(tea)
    StockLocation.objects.create(code="north", name="North store", kind="store", city="Hamburg")
    assert run(["voice", "model", "--channel", str(voice.pk), "--language", language]) == 0
    model = json.loads(capsys.readouterr().out)["interactionModel"]
    spoken = model["languageModel"]
    intents = {one["name"]: one for one in spoken["intents"]}
    assert {"StockIntent", "OrderStatusIntent", "ReorderIntent", "AMAZON.YesIntent", "AMAZON.StopIntent"} <= set(
        intents
    )
    types = {one["name"]: one["values"] for one in spoken["types"]}
    assert types["FM_GOODS"] == [
        {"id": str(variant.pk), "name": {"value": "Green tea organic 100 g", "synonyms": ["TEA-100"]}}
    ]
    assert types["FM_STORE"][0]["name"] == {"value": "North store", "synonyms": ["Hamburg"]}
    for intent in intents.values():
        slots = {slot["name"] for slot in intent.get("slots", ())}
        assert all(set(re.findall(r"{(\w+)}", sample)) <= slots for sample in intent["samples"])
    elicited = {one["id"] for one in model["prompts"]}
    assert {slot["prompts"]["elicitation"] for one in model["dialog"]["intents"] for slot in one["slots"]
            if slot["prompts"]} == elicited  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--language", "ja"], "the skill speaks de and en"), (["--invocation", "Shop"], "two or more words"),
     (["--channel", "99"], "there is no voice channel 99")],
)  # fmt: skip
def test_a_model_that_makes_no_sense_is_refused(
    voice: SalesChannel, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["voice", "model", *words]) == 2
    assert said in capsys.readouterr().err
