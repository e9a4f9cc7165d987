"""What everybody may read: that agents buy here and how (/.well-known/acp.json), what a payment for trying is, and how
an order stands, for whoever has its address."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import Context, Template
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from finalmarket.integrations.agents.completing import TEST_DECLINED, TEST_PAID
from finalmarket.integrations.agents.order_words import order_words
from finalmarket.integrations.agents.places import BASE, house
from finalmarket.integrations.agents.session_words import VERSION
from finalmarket.integrations.models import AgentDoor, AgentSession

DOCUMENTATION = "https://agenticcommerce.dev"


@require_safe
def discovery(request: HttpRequest) -> HttpResponse:
    """Say that agents buy here; 404 while they do not."""
    doors = AgentDoor.objects.filter(is_active=True, sales_channel__status="active").select_related("sales_channel")
    currencies = sorted({one.sales_channel.currency.lower() for one in doors})
    if not currencies:
        return JsonResponse({"type": "invalid_request", "code": "not_found", "message": "No agents here."}, status=404)
    told = {
        "protocol": {
            "name": "acp", "version": VERSION, "supported_versions": [VERSION], "documentation_url": DOCUMENTATION,
        },
        "api_base_url": f"{house()}{BASE}", "transports": ["rest"],
        "capabilities": {"services": ["checkout", "orders", "carts"], "supported_currencies": currencies},
    }  # fmt: skip
    answer = JsonResponse(told)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@require_safe
def test_payment(request: HttpRequest, name: str = "") -> HttpResponse:
    """Describe a payment for trying: its instrument, or its (empty) configuration."""
    tokens = {"type": "string", "enum": [TEST_PAID, TEST_DECLINED]}
    credential = {"type": "object", "properties": {"type": {"type": "string"}, "token": tokens}, "required": ["token"]}
    shapes = {
        "": {"description": f"A payment without money: {TEST_PAID} is paid, {TEST_DECLINED} is declined."},
        "config.json": {"type": "object", "additionalProperties": False},
        "instrument.json": {"type": "object", "properties": {"credential": credential}, "required": ["credential"]},
    }  # fmt: skip
    return JsonResponse(shapes[name]) if name in shapes else HttpResponse(status=404)


@require_safe
def order_page(request: HttpRequest, token: UUID) -> HttpResponse:
    """How an order of an agent stands, without a word of whose it is."""
    session = AgentSession.objects.select_related("sales_channel", "cart__order").filter(token=token).first()
    if session is None or session.order is None:
        return HttpResponse("There is no such order.", status=404, content_type="text/plain; charset=utf-8")
    context = {"order": order_words(session), "shop": session.sales_channel.name, "style": static("console/plain.css")}
    answer = HttpResponse(_template().render(Context(context)))
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("order.html").read_text(encoding="utf-8"))
