"""The places where Amazon sells, as it names them, and what follows from each.

Ids and regions: developer-docs.amazon.com/sp-api/docs/marketplace-ids and .../sp-api-endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOSTS: Mapping[str, str] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One shop of Amazon's: its country (ISO 3166-1), selling region, currency, language and Seller Central host."""

    country: str
    region: str
    currency: str
    language: str
    central: str


def _europe(
    country: str, currency: str, language: str, central: str = "sellercentral-europe.amazon.com"
) -> Marketplace:
    return Marketplace(country, "eu", currency, language, central)


MARKETPLACES: Mapping[str, Marketplace] = {
    "ATVPDKIKX0DER": Marketplace("US", "na", "USD", "en_US", "sellercentral.amazon.com"),
    "A2EUQ1WTGCTBG2": Marketplace("CA", "na", "CAD", "en_CA", "sellercentral.amazon.ca"),
    "A1AM78C64UM0Y8": Marketplace("MX", "na", "MXN", "es_MX", "sellercentral.amazon.com.mx"),
    "A2Q3Y263D00KWC": Marketplace("BR", "na", "BRL", "pt_BR", "sellercentral.amazon.com.br"),
    "A1F83G8C2ARO7P": _europe("GB", "GBP", "en_GB"),
    "A1PA6795UKMFR9": _europe("DE", "EUR", "de_DE"),
    "A13V1IB3VIYZZH": _europe("FR", "EUR", "fr_FR"),
    "APJ6JRA9NG5V4": _europe("IT", "EUR", "it_IT"),
    "A1RKKUPIHCS9HS": _europe("ES", "EUR", "es_ES"),
    "A28R8C7NBKEWEA": _europe("IE", "EUR", "en_IE", "sellercentral.amazon.ie"),
    "AMEN7PMS3EDWL": _europe("BE", "EUR", "fr_BE", "sellercentral.amazon.com.be"),
    "A1805IZSGTT6HS": _europe("NL", "EUR", "nl_NL", "sellercentral.amazon.nl"),
    "A2NODRKZP88ZB9": _europe("SE", "SEK", "sv_SE", "sellercentral.amazon.se"),
    "A1C3SOZRARQ6R3": _europe("PL", "PLN", "pl_PL", "sellercentral.amazon.pl"),
    "AE08WJ6YKNBMC": _europe("ZA", "ZAR", "en_ZA", "sellercentral.amazon.co.za"),
    "ARBP9OOSHTCHU": _europe("EG", "EGP", "ar_EG", "sellercentral.amazon.eg"),
    "A33AVAJ2PDY3EV": _europe("TR", "TRY", "tr_TR", "sellercentral.amazon.com.tr"),
    "A17E79C6D8DWNP": _europe("SA", "SAR", "ar_SA", "sellercentral.amazon.sa"),
    "A2VIGQ35RCS4UG": _europe("AE", "AED", "en_AE", "sellercentral.amazon.ae"),
    "A21TJRUUN4KGV": _europe("IN", "INR", "en_IN", "sellercentral.amazon.in"),
    "A1VC38T7YXB528": Marketplace("JP", "fe", "JPY", "ja_JP", "sellercentral.amazon.co.jp"),
    "A39IBJ37TRP1C6": Marketplace("AU", "fe", "AUD", "en_AU", "sellercentral.amazon.com.au"),
    "A19VAU5U5O7RUS": Marketplace("SG", "fe", "SGD", "en_SG", "sellercentral.amazon.sg"),
}
UNKNOWN_MARKETPLACE = Marketplace("", "", "", "en_US", "sellercentral.amazon.com")


def marketplace(marketplace_id: str) -> Marketplace:
    """What is known of a marketplace; one that is new to us has no currency and no region."""
    return MARKETPLACES.get(marketplace_id, UNKNOWN_MARKETPLACE)
