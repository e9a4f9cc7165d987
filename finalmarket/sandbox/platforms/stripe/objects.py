"""Stripe's objects as its API of version 2026-05-27.dahlia shows them (https://docs.stripe.com/api)."""

from __future__ import annotations

from finalmarket.sandbox.platforms.stripe.forms import Object

EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def new_intent(name: str, moment: int, amount: int, currency: str, *, live: bool) -> Object:
    """A payment intent that nobody has paid yet."""
    return {
        "id": name, "object": "payment_intent", "amount": amount, "amount_capturable": 0,
        "amount_details": {"tip": {}}, "amount_received": 0, "application": None, "application_fee_amount": None,
        "automatic_payment_methods": None, "canceled_at": None, "cancellation_reason": None,
        "capture_method": "automatic", "client_secret": f"{name}_secret_practice", "confirmation_method": "automatic",
        "created": moment, "currency": currency, "customer": None, "customer_account": None, "description": None,
        "excluded_payment_method_types": None, "last_payment_error": None, "latest_charge": None, "livemode": live,
        "metadata": {}, "next_action": None, "on_behalf_of": None, "payment_method": None,
        "payment_method_configuration_details": None, "payment_method_options": {}, "payment_method_types": ["card"],
        "processing": None, "receipt_email": None, "review": None, "setup_future_usage": None, "shipping": None,
        "statement_descriptor": None, "statement_descriptor_suffix": None, "status": "requires_payment_method",
        "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def new_charge(name: str, moment: int, amount: int, currency: str, *, live: bool) -> Object:
    """A card charge that the bank has agreed to, not captured yet."""
    return {
        "id": name, "object": "charge", "amount": amount, "amount_captured": 0, "amount_refunded": 0,
        "application": None, "application_fee": None, "application_fee_amount": None, "balance_transaction": None,
        "billing_details": {"address": dict.fromkeys(ADDRESS), "email": None, "name": None, "phone": None},
        "calculated_statement_descriptor": "PRACTICE", "captured": False, "created": moment, "currency": currency,
        "customer": None, "description": None, "disputed": False, "failure_balance_transaction": None,
        "failure_code": None, "failure_message": None, "fraud_details": {}, "livemode": live, "metadata": {},
        "on_behalf_of": None, "outcome": None, "paid": True, "payment_intent": None, "payment_method": None,
        "payment_method_details": None, "receipt_email": None, "receipt_number": None, "receipt_url": None,
        "refunded": False, "review": None, "shipping": None, "source_transfer": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "succeeded", "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def new_refund(name: str, moment: int, charge: Object, amount: int) -> Object:
    """A refund that went through."""
    return {
        "id": name, "object": "refund", "amount": amount, "balance_transaction": None, "charge": charge["id"],
        "created": moment, "currency": charge["currency"], "destination_details": {"type": "card"}, "metadata": {},
        "payment_intent": charge["payment_intent"], "reason": None, "receipt_number": None,
        "source_transfer_reversal": None, "status": "succeeded", "transfer_reversal": None,
    }  # fmt: skip


def new_dispute(name: str, moment: int, charge: Object, amount: int, status: str) -> Object:
    """A cardholder's bank takes money back."""
    return {
        "id": name, "object": "dispute", "amount": amount, "balance_transactions": [], "charge": charge["id"],
        "created": moment, "currency": charge["currency"], "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": moment + 7 * 24 * 3600, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning"), "livemode": charge["livemode"], "metadata": {},
        "payment_intent": charge["payment_intent"], "reason": "fraudulent", "status": status,
    }  # fmt: skip


def new_customer(name: str, moment: int, *, live: bool) -> Object:
    """A customer of whom nothing is known yet."""
    return {
        "id": name, "object": "customer", "address": None, "balance": 0, "created": moment, "currency": None,
        "default_source": None, "delinquent": False, "description": None, "discount": None, "email": None,
        "invoice_prefix": name[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        "livemode": live, "metadata": {}, "name": None, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip


def new_event(name: str, moment: int, version: str, topic: str, about: Object, before: Object | None) -> Object:
    """Something that happened to `about`; `before` is what it said until then, where it was changed."""
    data = {"object": about} if before is None else {"object": about, "previous_attributes": before}
    return {
        "id": name, "object": "event", "api_version": version, "created": moment, "data": data,
        "livemode": about.get("livemode", False), "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None}, "type": topic,
    }  # fmt: skip


def new_endpoint(name: str, moment: int, url: str, topics: list[str], version: str | None, *, live: bool) -> Object:
    """An address that events are sent to."""
    return {
        "id": name, "object": "webhook_endpoint", "api_version": version, "application": None, "created": moment,
        "description": None, "enabled_events": topics, "livemode": live, "metadata": {}, "status": "enabled",
        "url": url,
    }  # fmt: skip


def one_page(data: list[Object], url: str, *, has_more: bool) -> Object:
    """A page of a list."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
