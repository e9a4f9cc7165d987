"""Shopify: what goes out: customers."""

from __future__ import annotations

from typing import Any

from finalmarket.connectors.errors import NeedsAttention, Rejected
from finalmarket.connectors.people import split_name
from finalmarket.connectors.platforms.shopify.entrance import refuse, user_errors
from finalmarket.connectors.platforms.shopify.incoming import Incoming
from finalmarket.connectors.platforms.shopify.words import gid, mailing_address
from finalmarket.connectors.records import Address, CustomerContent, Raw

STATES = {True: "SUBSCRIBED", False: "UNSUBSCRIBED"}


class Customers(Incoming):
    """Pushes of people."""

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A person whom Shopify has by e-mail or telephone is changed, not made a second time; the
        other addresses that they have there are left alone."""
        known = self._known_person(content)
        if known is None and not (content.email or content.phone):
            raise Rejected("Shopify finds a customer by e-mail or telephone only", key=content.key, code="NO_CONTACT")
        customer_id = self._set_person(content, known)
        if known is not None and content.address != Address():
            self._set_address(content, known)
        if content.accepts_email is not None and content.email:
            self._set_consent(content, customer_id, known)
        return customer_id

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers. Shopify does it a while later, and in orders too; they stay in the books. Raises
        Rejected where the app lacks the right to ask for it."""
        asked = {"customerId": gid("Customer", external_id)}
        try:
            payload = self.change("EraseCustomer", asked, repeatable=True)
        except NeedsAttention as error:
            if error.code != "ACCESS_DENIED":
                raise
            raise Rejected(f"the Shopify app lacks the right to have customers erased: {error.reason}") from None
        if not any(error.code == "DOES_NOT_EXIST" for error in user_errors(payload, "")):
            refuse(payload, "")

    def _known_person(self, content: CustomerContent) -> Raw | None:
        """The customer as Shopify has them; None for one to be made. Raises Rejected where it lost one it had."""
        if content.external_id:
            found: Raw | None = self.ask("Customer", {"id": gid("Customer", content.external_id)})["customer"]
            if found is None:
                raise Rejected(f"Shopify has no customer {content.external_id}", key=content.key, code="NOT_FOUND")
            return found
        for field, value in (("emailAddress", content.email), ("phoneNumber", content.phone)):
            if value:
                found = self.ask("CustomerByContact", {"identifier": {field: value}})["customerByIdentifier"]
                if found is not None:
                    return found
        return None

    def _set_person(self, content: CustomerContent, known: Raw | None) -> str:
        first, last = split_name(content.name)
        fields: dict[str, Any] = {"firstName": first, "lastName": last} if content.name else {}
        fields |= {"email": content.email} if content.email else {}
        fields |= {"phone": content.phone} if content.phone else {}
        fields |= {"locale": content.language} if content.language else {}
        if known is not None:
            identifier = {"id": known["id"]}
        else:  # asked twice, made once
            identifier = {"email": content.email} if content.email else {"phone": content.phone}
            if content.address != Address():
                fields["addresses"] = [mailing_address(content.address, content.name)]
        asked = {"identifier": identifier, "input": fields}
        payload = refuse(self.change("SetCustomer", asked, repeatable=True), content.key)
        return str(payload["customer"]["id"])

    def _set_address(self, content: CustomerContent, known: Raw) -> None:
        """Make this the default address: change the one that is, or add it."""
        asked: dict[str, Any] = {
            "customer": known["id"], "address": mailing_address(content.address, content.name),
        }  # fmt: skip
        default = known.get("defaultAddress")
        if default is None:
            refuse(self.change("AddAddress", asked), content.key)
        else:
            asked["id"] = default["id"]
            refuse(self.change("ChangeAddress", asked, repeatable=True), content.key)

    def _set_consent(self, content: CustomerContent, customer_id: str, known: Raw | None) -> None:
        """Say whether they agreed to e-mail, where Shopify has it otherwise. Who never agreed has nothing to take
        back."""
        state = ((known or {}).get("defaultEmailAddress") or {}).get("marketingState") or "NOT_SUBSCRIBED"
        wanted = STATES[bool(content.accepts_email)]
        if state == wanted or (state == "NOT_SUBSCRIBED" and not content.accepts_email):
            return
        asked = {"customerId": customer_id, "emailMarketingConsent": {"marketingState": wanted}}
        refuse(self.change("SetConsent", {"input": asked}, repeatable=True), content.key)
