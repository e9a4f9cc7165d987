"""The catalogue holds nothing of customers."""

from finalmarket.kernel.personal import impersonal

TABLES = (
    impersonal("categories", "name", "slug"),
    impersonal("products", "title", "slug", "description", "brand", "options", "attributes", "status"),
    impersonal("product_images", "url", "alt_text"),
    impersonal("variants", "sku", "barcode", "title", "option_values", "cost_currency", "origin_country", "hs_code",
               "tax_class"),
    impersonal("variant_prices", "currency"),
    impersonal("bundle_components"),
)  # fmt: skip
