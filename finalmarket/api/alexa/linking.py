"""Account linking: the house is an OAuth 2.0 authorization server for a skill (RFC 6749 authorization code, RFC 7636
where a challenge is sent), and customers prove who they are by a code.

GET and POST /voice/alexa/<token>/link is the page, POST /voice/alexa/<token>/token gives tokens.
https://developer.amazon.com/docs/alexa/account-linking/requirements-account-linking.html
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.integrations.django_oauth2.requests import DjangoOAuth2Payload, DjangoOAuth2Request
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, Template
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from finalmarket.access import rates
from finalmarket.integrations.models import VoiceLink, VoiceSkill
from finalmarket.integrations.voice import codes, links
from finalmarket.integrations.voice.skills import CLIENT_ID, digest
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError

TRIES_PER_MINUTE = 60
"""Of all who link accounts of one skill together: nobody guesses codes at speed."""
TOKENS_PER_MINUTE = 600
BUCKETS = uuid.UUID("0f6a1a3e-52b6-4b0f-9d5f-5d0e5f0c8e21")
ACCESS_LETTERS, REFRESH_LETTERS = 42, 48
TOO_FAST = "Too many are trying this now. Wait a minute."


class Client(ClientMixin):
    """A skill as authlib sees it: a client with a secret that may do the one thing."""

    def __init__(self, skill: VoiceSkill) -> None:
        self.skill, self.client_id = skill, skill.client_id

    def get_client_id(self) -> str:
        """What it shows."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """There is none: several are registered, so it must be named."""
        return ""

    def get_allowed_scope(self, scope: Any) -> str:
        """What is linked is the account; there are no parts of it."""
        return str(scope or "")

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether customers may be sent there: exactly as it was registered."""
        return redirect_uri in self.skill.redirect_urls

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the skill's secret."""
        return hmac.compare_digest(self.skill.secret_digest, digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it may prove itself so."""
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Codes alone: no token ever stands in an address."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes, and renewals."""
        return grant_type in ("authorization_code", "refresh_token")


class Code(AuthorizationCodeMixin):
    """A link whose code is shown, or its refresh token, as authlib sees it."""

    def __init__(self, link: VoiceLink) -> None:
        self.link = link
        self.code_challenge = link.code_challenge or None
        self.code_challenge_method = link.code_challenge_method or None

    def get_redirect_uri(self) -> str:
        """What the code is bound to."""
        return self.link.redirect_url

    def get_scope(self) -> str:
        """There are no parts of an account."""
        return ""

    def check_client(self, client: Client) -> bool:
        """Whether it was given to this skill."""
        return self.link.skill_id == client.skill.pk


class ByCode(grants.AuthorizationCodeGrant):
    """The way from a yes over a code to tokens."""

    def save_authorization_code(self, code: str, request: Any) -> None:
        """See authlib."""
        told = request.payload.data
        wanted = links.Wanted(
            request.payload.redirect_uri, told.get("code_challenge", ""), told.get("code_challenge_method", "")
        )
        links.grant(request.client.skill, request.user, code, wanted)

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        """See authlib."""
        link = links.of_code(client.skill, code)
        return Code(link) if link else None

    def delete_authorization_code(self, authorization_code: Any) -> None:
        """The link that has tokens remembers its code: whoever shows it again stole it."""

    def authenticate_user(self, authorization_code: Any) -> Any:
        """What the tokens are given to."""
        return authorization_code.link


class ByRefresh(grants.RefreshTokenGrant):
    """A new access token; the refresh token stays."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")
    INCLUDE_NEW_REFRESH_TOKEN = False

    def authenticate_refresh_token(self, refresh_token: str) -> Any:
        """See authlib."""
        client: Any = self.request.client
        link = links.of_refresh(client.skill, refresh_token)
        return Code(link) if link else None

    def authenticate_user(self, refresh_token: Any) -> Any:
        """What the token is given to."""
        return refresh_token.link

    def revoke_old_credential(self, refresh_token: Any) -> None:
        """The access token before was overwritten; the refresh token stays."""


class Request(DjangoOAuth2Request):
    """A request as authlib reads it. Whether it came over TLS is the house's matter (FINALMARKET_PLAIN_HTTP)."""

    def __init__(self, request: HttpRequest) -> None:
        uri = "https://" + request.build_absolute_uri().partition("://")[2]
        OAuth2Request.__init__(self, method=request.method or "", uri=uri, headers=request.headers)
        self.payload = DjangoOAuth2Payload(request)
        self._request = request


class Server(AuthorizationServer):
    """The authorization server of all skills; a request that names the client of another skill than its address finds
    none."""

    def create_oauth2_request(self, request: HttpRequest) -> Request:
        """See authlib."""
        return Request(request)

    def query_client(self, client_id: str) -> Any:
        """The skill of that client id; None for what is none."""
        if not CLIENT_ID.fullmatch(client_id):
            return None
        skill = VoiceSkill.objects.select_related("sales_channel").filter(client_id=client_id, is_active=True).first()
        return Client(skill) if skill else None

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """Keep what tokens are known by."""
        links.give_tokens(request.user, token["access_token"], token.get("refresh_token"))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


def _tokens(
    grant_type: str, client: Client, user: Any = None, scope: str | None = None, expires_in: int | None = None,
    include_refresh_token: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """A pair of tokens (one alone at a renewal): nothing but chance."""
    made: dict[str, Any] = {
        "token_type": "bearer", "access_token": generate_token(ACCESS_LETTERS),
        "expires_in": int(links.ACCESS_FOR.total_seconds()),
    }  # fmt: skip
    return made | ({"refresh_token": generate_token(REFRESH_LETTERS)} if include_refresh_token else {})


@cache
def server() -> Any:
    """The one server, with its two grants."""
    made: Any = Server(None, None)
    made.register_token_generator("default", _tokens)
    made.register_grant(ByCode, [CodeChallenge(required=False)])
    made.register_grant(ByRefresh)
    return made


@csrf_exempt
@never_cache
@require_POST
def give_token(request: HttpRequest, token: str) -> HttpResponse:
    """Exchange a code, or renew. The client proves itself by its secret."""
    skill = _skill(token)
    if _is_too_fast(skill, "token", TOKENS_PER_MINUTE):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    with failpoints.around("voice.give_token"), transaction.atomic():
        answer: HttpResponse = server().create_token_response(request)
    return answer


@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def link_account(request: HttpRequest, token: str) -> HttpResponse:
    """The page on which a customer says who they are, and is sent back with an authorization code."""
    skill = _skill(token)
    try:
        grant = server().get_consent_grant(request)
    except OAuth2Error as error:
        return _page(request, skill, {"refused": str(error.description or error.error)}, status=400)
    if grant.request.client.skill.pk != skill.pk:
        return _page(request, skill, {"refused": "The client is of another skill."}, status=400)
    if request.method == "GET":
        return _page(request, skill, {})
    if _is_too_fast(skill, "link", TRIES_PER_MINUTE):
        return _page(request, skill, {"wrong": TOO_FAST}, status=429)
    if request.POST.get("no"):
        return _answered(request, grant, None)
    if request.POST.get("email"):
        attempt = codes.ask_for_code(skill, request.POST["email"][:320])
        return _page(request, skill, {"attempt": attempt})
    return _proved(request, skill, grant)


def _proved(request: HttpRequest, skill: VoiceSkill, grant: ByCode) -> HttpResponse:
    attempt = request.POST.get("attempt", "")[:40]
    try:
        person = codes.redeem(skill, attempt, request.POST.get("code", "")[:40])
    except UserError as error:
        return _page(request, skill, {"attempt": attempt, "wrong": str(error)}, status=403)
    return _answered(request, grant, person)


def _answered(request: HttpRequest, grant: ByCode, person: int | None) -> HttpResponse:
    """Send the customer back, with a code or with their no."""
    answer: HttpResponse = server().create_authorization_response(grant.request, grant_user=person, grant=grant)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _skill(token: str) -> VoiceSkill:
    skill = VoiceSkill.objects.select_related("sales_channel").filter(token=token, is_active=True).first()
    if skill is None:
        raise Http404("no such skill")
    return skill


def _is_too_fast(skill: VoiceSkill, what: str, calls_per_minute: int) -> bool:
    return rates.take(uuid.uuid5(BUCKETS, f"{skill.pk}:{what}"), calls_per_minute).wait_seconds > 0


def _page(request: HttpRequest, skill: VoiceSkill, told: Mapping[str, Any], status: int = 200) -> HttpResponse:
    context = {
        "shop": skill.sales_channel.name, "csrf": get_token(request), "can_mail": codes.can_mail(),
        "style": static("console/plain.css"), **told,
    }  # fmt: skip
    answer = HttpResponse(_template().render(Context(context)), status=status)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("link.html").read_text(encoding="utf-8"))
