"""The tables of the customers' room."""

from finalmarket.customers.models.consent import ChannelPreference, Consent
from finalmarket.customers.models.identity import BlockedIdentity, CustomerIdentity, IdentityLimit, SharedIdentity
from finalmarket.customers.models.person import (
    CustomerMerge,
    MergeSuggestion,
    PersonChange,
    PersonFollower,
    PersonMark,
)
from finalmarket.customers.models.privacy import ErasedIdentity, PrivacyRequest
from finalmarket.customers.models.profile import OmnichannelCustomer
from finalmarket.customers.models.sign_in import ShopperSession, SignInCode

__all__ = [
    "BlockedIdentity",
    "ChannelPreference",
    "Consent",
    "CustomerIdentity",
    "CustomerMerge",
    "ErasedIdentity",
    "IdentityLimit",
    "MergeSuggestion",
    "OmnichannelCustomer",
    "PersonChange",
    "PersonFollower",
    "PersonMark",
    "PrivacyRequest",
    "SharedIdentity",
    "ShopperSession",
    "SignInCode",
]
