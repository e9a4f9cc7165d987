"""eBay's marketplaces by their names in the API (MarketplaceEnum), with the language of the listings there."""

from __future__ import annotations

from collections.abc import Mapping

MARKETPLACES: Mapping[str, str] = {
    "EBAY_AT": "de-AT", "EBAY_AU": "en-AU", "EBAY_BE": "nl-BE", "EBAY_CA": "en-CA", "EBAY_CH": "de-CH",
    "EBAY_DE": "de-DE", "EBAY_ES": "es-ES", "EBAY_FR": "fr-FR", "EBAY_GB": "en-GB", "EBAY_HK": "zh-HK",
    "EBAY_IE": "en-IE", "EBAY_IT": "it-IT", "EBAY_MY": "en-MY", "EBAY_NL": "nl-NL", "EBAY_PH": "en-PH",
    "EBAY_PL": "pl-PL", "EBAY_SG": "en-SG", "EBAY_TW": "zh-TW", "EBAY_US": "en-US",
}  # fmt: skip
