"""Accounts on outside platforms: how each is doing, connecting one, and what came in and went out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import Authorizes, Connector, capabilities
from finalmarket.connectors.errors import NotSupported
from finalmarket.connectors.matrix import WORDS
from finalmarket.connectors.registry import real_connectors
from finalmarket.connectors.talk import SendsMessages
from finalmarket.console.keyset import Slice, cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.books import books_of, send_past
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.console.pages.talk import change_duties, duties_of
from finalmarket.console.people import may_see_people
from finalmarket.integrations import authorize, connect, dead_letters, health
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DriftFinding, PushRecord, SyncRun
from finalmarket.kernel.errors import UserError

CHANGE = "integrations.change_channelintegration"
LATEST = 8


@page("integrations.view_channelintegration")
def integrations(request: HttpRequest) -> HttpResponse:
    """All accounts with one honest word each, and the platforms that can be added."""
    accounts = list(ChannelIntegration.objects.select_related("sales_channel").order_by("platform_name", "pk"))
    letters = dict(
        DeadLetter.objects.filter(settled_at=None)
        .values_list("integration")
        .annotate(open=Count("pk"))
        .values_list("integration", "open")
    )
    found = health.health_of_all(accounts)
    rows = [{"account": one, "health": found[one.pk], "letters": letters.get(one.pk, 0)} for one in accounts]
    context = {"rows": rows, "platforms": _platforms(), "channels": SalesChannel.objects.order_by("name")}
    return show(request, "integrations.html", "Integrations", context)


def _platforms() -> list[tuple[str, str]]:
    """Slug and name of the platforms that can be added. A class itself would be called by the template."""
    return [(slug, connector.name) for slug, connector in real_connectors().items()]


@page("integrations.add_channelintegration", "POST")
def add_integration(request: HttpRequest) -> HttpResponse:
    """Make an account that is not connected yet; its page asks for the credentials."""
    connector = real_connectors().get(request.POST.get("platform", ""))
    if connector is None:
        attempt(request, lambda: _refuse("Choose a platform from the list."))
        return back(request, reverse("console:integrations"))
    channel = request.POST.get("channel", "")
    made = ChannelIntegration.objects.create(
        platform_name=connector.name,
        integration_type=connector.kind,
        account_label=request.POST.get("label", "").strip()[:100],
        sales_channel=SalesChannel.objects.filter(pk=channel).first()
        if channel.isascii() and channel.isdigit()
        else None,
    )
    return HttpResponseRedirect(reverse("console:integration", args=[made.pk]))


@page("integrations.view_channelintegration")
def integration(request: HttpRequest, key: int) -> HttpResponse:
    """One account: state, credentials, runs, what was set aside, what drifted."""
    account = get_object_or_404(ChannelIntegration.objects.select_related("sales_channel"), pk=key)
    try:
        connector = connector_class(account)
    except NotSupported as error:
        return show(request, "integration_unknown.html", str(account), {"account": account, "trouble": str(error)})
    context = {
        "account": account,
        "platform": f"{connector.name} {connector.api_version}",
        "docs": connector.docs,
        "abilities": [WORDS[name] for name in capabilities(connector)],
        "health": health.health_of(account),
        "statistics": health.sync_statistics(account, 30),
        "form": ConnectForm(connector, account),
        "authorizes": issubclass(connector, Authorizes),
        "duties": duties_of(account),
        "books": books_of(account),
        "sends_mails": issubclass(connector, SendsMessages),
        "runs": SyncRun.objects.filter(integration=account)[:LATEST],
        "letters": _letters(request, account),
        "sees_people": may_see_people(request.user),
        "findings": DriftFinding.objects.filter(integration=account).select_related("listing__variant")[:LATEST],
        "pushes": PushRecord.objects.filter(integration=account).select_related("listing__variant")[:LATEST],
        "counts": account.links.aggregate(
            linked=Count("pk"), doubtful=Count("pk", filter=Q(is_doubtful=True)),
        ) | {"open": account.unlinked.filter(state="open").count()},
        "filters": asked.Filters(request),
    }  # fmt: skip
    return show(request, "integration.html", str(account), context)


def _letters(request: HttpRequest, account: ChannelIntegration) -> Slice | None:
    """The open letters of an account; None for those who may not see letters."""
    if not request.user.has_perm("integrations.view_deadletter"):
        return None
    rows = DeadLetter.objects.filter(integration=account, settled_at=None)
    return cut(rows, ("-id",), request.GET, asked.PAGE_SIZE)


class ConnectForm(forms.Form):
    """The secrets and settings that a platform asks for, from its class statement. Secrets are never shown again."""

    def __init__(self, connector: type[Connector], account: ChannelIntegration, *args: Any) -> None:
        super().__init__(*args)
        kept = set(account.credentials.values_list("name", flat=True))
        for setting in connector.settings:
            initial = account.settings.get(setting.name, setting.default)
            choices = [("", "–"), *setting.choices] if setting.choices else None
            kind: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "initial": initial}
            kind["required"] = setting.is_required
            self.fields[setting.name] = (
                forms.ChoiceField(choices=choices, **kind) if choices else forms.CharField(max_length=500, **kind)
            )
        for name in (*connector.secrets, *connector.optional_secrets):
            hint = "kept; enter it anew to replace it" if name in kept else ""
            self.fields[name] = forms.CharField(
                label=name.replace("_", " ").capitalize(), required=False, max_length=10_000, help_text=hint,
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            )  # fmt: skip
        self.fields["base_url"] = forms.URLField(
            label="Stand-in address", required=False, initial=account.base_url, assume_scheme="https",
            help_text="Only for a sandbox: an address in place of the platform's own",
        )  # fmt: skip


@page(CHANGE, "POST")
def change_integration(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on an account."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    attempt(request, lambda: VERBS[verb](request, account) if verb in VERBS else _refuse(f"It cannot {verb}."))
    return back(request, reverse("console:integration", args=[key]))


def _refuse(words: str) -> str:
    raise ValidationError(words)


def _connect(request: HttpRequest, account: ChannelIntegration) -> str:
    form = ConnectForm(connector_class(account), account, request.POST)
    if not form.is_valid():
        raise ValidationError([f"{name}: {' '.join(map(str, words))}" for name, words in form.errors.items()])
    given = {name: value for name, value in form.cleaned_data.items() if value}
    account.connect(given, actor=request.user.get_username())
    return f"Connected: the platform knows us as {account.account_name}. Look through what it sells there next."


def _test(request: HttpRequest, account: ChannelIntegration) -> str:
    return account.test_connection()


def _sync(request: HttpRequest, account: ChannelIntegration) -> str:
    account.sync_later()
    return "A worker pulls and pushes now; its runs appear below."


def _pause(request: HttpRequest, account: ChannelIntegration) -> str:
    account.pause(request.POST.get("reason", "").strip() or f"paused by {request.user}")
    return f"{account} is paused: webhooks are still kept, nothing is pulled or told."


def _resume(request: HttpRequest, account: ChannelIntegration) -> str:
    account.resume()
    return f"{account} goes on; what waited goes out now."


def _disconnect(request: HttpRequest, account: ChannelIntegration) -> str:
    account.disconnect(actor=request.user.get_username())
    return f"{account} is disconnected and its secrets are forgotten; orders, links and the trail stay."


def _start_pushing(request: HttpRequest, account: ChannelIntegration) -> str:
    account.start_pushing()
    return "From now on the platform is told what changes here."


VERBS = {
    "connect": _connect,
    "test": _test,
    "sync": _sync,
    "pause": _pause,
    "resume": _resume,
    "disconnect": _disconnect,
    "start-pushing": _start_pushing,
    "duties": change_duties,
    "send-past": send_past,
}


@page(CHANGE, "POST")
def begin(request: HttpRequest, key: int) -> HttpResponse:
    """Send the person to the platform, with what it needs to know of us; they come back to `finish`."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    form = ConnectForm(connector_class(account), account, request.POST)
    form.is_valid()
    entered = {name: value for name, value in form.cleaned_data.items() if value}
    address = entered.pop("base_url", "")
    where = ""

    def verb() -> str:
        nonlocal where
        connect.stay_in_place(account, {**entered, "base_url": address})
        ChannelIntegration.objects.filter(pk=account.pk).update(base_url=address)
        account.base_url = address
        finish_uri = request.build_absolute_uri(reverse("console:authorized"))
        where = authorize.begin_authorization(account, finish_uri, request.session, entered)
        return "The platform asks you now whether the hub may work for you."

    attempt(request, verb)
    return HttpResponseRedirect(where) if where else back(request, reverse("console:integration", args=[key]))


@page(CHANGE)
def authorized(request: HttpRequest) -> HttpResponse:
    """The person comes back from the platform: what was begun in this session is finished, once."""
    connected: list[int] = []

    def verb() -> str:
        account = authorize.finish_authorization(
            {name: str(value) for name, value in request.GET.items()},
            request.session,
            actor=request.user.get_username(),
        )
        connected.append(account.pk)
        return f"Connected: the platform knows us as {account.account_name}."

    attempt(request, verb)
    home = reverse("console:integration", args=connected) if connected else reverse("console:integrations")
    return HttpResponseRedirect(home)


@page("integrations.change_deadletter", "POST")
def letter(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Try what was set aside again, or close it as dealt with. What the platform calls it, and why it failed again, are
    told to those who may see people."""
    one = get_object_or_404(DeadLetter, pk=key)
    actor, sees_people = request.user.get_username(), may_see_people(request.user)
    name = f"{one.stream} {one.external_id}" if sees_people else f"Letter {one.pk}"

    def act() -> str:
        if verb == "replay":
            _replay(one.pk, actor, sees_people)
            return f"{name} was taken."
        if verb == "drop":
            dead_letters.drop(one.pk, actor=actor)
            return f"{name} is closed."
        return _refuse(f"It cannot {verb}.")

    attempt(request, act)
    return back(request, reverse("console:integration", args=[one.integration_id]))


def _replay(letter_id: int, actor: str, sees_people: bool) -> None:
    try:
        dead_letters.replay(letter_id, actor=actor)
    except UserError as error:
        if sees_people:
            raise
        raise UserError(f"letter {letter_id} failed again; who may see people is told why") from error
