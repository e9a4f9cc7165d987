"""What records of each kind consist of at HubSpot: properties, stages, and what may be linked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

PIPELINES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "orders": {
        "14a2e10e-5471-408a-906e-c51f3b04369e": (
            "4b27b500-f031-4927-9811-68a0b525cbae", "937ea84d-0a4f-4dcf-9028-3f9c2aafbf03",
            "aa99e8d0-c1d5-4071-b915-d240bbb1aed9", "3725360f-519b-4b18-a593-494d60a29c9f",
            "3c85a297-e9ce-400b-b42e-9f16853d69d6",
        ),
    },
    "deals": {
        "default": (
            "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent",
            "closedwon", "closedlost",
        ),
    },
    "tickets": {"0": ("1", "2", "3", "4")},
}  # fmt: skip
# The name of the pipeline and of the stage on a record.
STAGED: Mapping[str, tuple[str, str]] = {
    "orders": ("hs_pipeline", "hs_pipeline_stage"), "deals": ("pipeline", "dealstage"),
    "tickets": ("hs_pipeline", "hs_pipeline_stage"),
}  # fmt: skip
_PLACES = ("street", "city", "state", "postal_code", "country")
STANDARD: Mapping[str, Mapping[str, str]] = {
    "contacts": {
        **dict.fromkeys(
            ("email", "firstname", "lastname", "phone", "mobilephone", "hs_language", "address", "city", "state", "zip",
             "country", "company"), "string",
        ),
        "hs_email_optout": "bool",
    },
    "orders": {
        **dict.fromkeys(
            ("hs_order_name", "hs_external_order_id", "hs_currency_code", "hs_source_store", "hs_fulfillment_status",
             "hs_shipping_tracking_number", "hs_shipping_status_url", "hs_pipeline", "hs_pipeline_stage",
             *(f"hs_shipping_address_{part}" for part in _PLACES), *(f"hs_billing_address_{part}" for part in _PLACES)),
            "string",
        ),
        "hs_total_price": "number",
    },
    "deals": {
        **dict.fromkeys(("dealname", "deal_currency_code", "pipeline", "dealstage"), "string"), "amount": "number",
        "closedate": "datetime",
    },
    "line_items": {
        **dict.fromkeys(("name", "hs_sku", "hs_line_item_currency_code"), "string"), "quantity": "number",
        "price": "number", "discount": "number",
    },
    "tickets": dict.fromkeys(
        ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority"), "string"
    ),
    "notes": {"hs_note_body": "string", "hs_timestamp": "datetime"},
}  # fmt: skip
NEEDED: Mapping[str, tuple[str, ...]] = {
    "deals": ("dealname", "dealstage"), "tickets": ("subject", "hs_pipeline_stage"), "notes": ("hs_timestamp",),
}  # fmt: skip
CHOICES = {"hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT")}
# Kept by HubSpot itself.
READ_ONLY = ("hs_object_id", "createdate", "lastmodifieddate", "hs_createdate", "hs_lastmodifieddate",
             "hs_merged_object_ids")  # fmt: skip
LINKS = {
    ("orders", "contacts"): 507, ("orders", "line_items"): 513, ("deals", "contacts"): 3, ("deals", "line_items"): 19,
    ("tickets", "contacts"): 16, ("notes", "tickets"): 228,
}  # fmt: skip
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def changed_name(kind: str) -> str:
    """The property that says when a record was changed."""
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def fits(value: str, kind: str) -> bool:
    """Whether a value is one of a property of that type; an empty one clears it."""
    if not value or kind not in ("number", "datetime", "bool"):
        return True
    try:
        if kind == "number":
            return Decimal(value).is_finite()
        return value in ("true", "false") if kind == "bool" else value.isdigit() or bool(datetime.fromisoformat(value))
    except (InvalidOperation, ValueError):
        return False


def stage_fault(kind: str, values: Mapping[str, Any]) -> str:
    """Why HubSpot would not take the stage of a record; "" where it would."""
    if kind not in STAGED:
        return ""
    pipeline, stage = (values.get(name) for name in STAGED[kind])
    known = PIPELINES[kind]
    if pipeline and pipeline not in known:
        return f"{pipeline} is no pipeline"
    stages = known[pipeline] if pipeline else [one for some in known.values() for one in some]
    return f"{stage} is no stage of the pipeline" if stage and stage not in stages else ""
