-- Goods of the catalogue by what a message calls them.

-- name: coded
-- By SKU in small letters or barcode, each asked through its index.
SELECT variant.id, variant.sku, variant.barcode,
       EXISTS (SELECT FROM channel_products listing
               WHERE listing.variant_id = variant.id AND listing.sales_channel_id = %(channel)s) AS is_listed
FROM (
    SELECT id FROM variants WHERE lower(sku) = ANY (%(names)s::text[])
    UNION
    SELECT id FROM variants WHERE barcode = ANY (%(names)s::text[]) AND barcode <> ''
) found JOIN variants variant ON variant.id = found.id
WHERE variant.is_active ORDER BY variant.id LIMIT 500

-- name: titled
-- Of each phrase the products with most of its words in their titles, and their variants.
WITH asked AS (
    SELECT n, array_agg(pattern) AS patterns
    FROM unnest(%(numbers)s::int[], %(patterns)s::text[]) given(n, pattern) GROUP BY n
)
SELECT asked.n, variant.id, variant.sku, product.title, variant.title AS own_title,
       coalesce((SELECT string_agg(value, ' ') FROM jsonb_each_text(
           CASE WHEN jsonb_typeof(variant.option_values) = 'object' THEN variant.option_values ELSE '{}' END
       )), '') AS values,
       EXISTS (SELECT FROM channel_products listing
               WHERE listing.variant_id = variant.id AND listing.sales_channel_id = %(channel)s) AS is_listed
FROM asked
CROSS JOIN LATERAL (
    SELECT candidate.id, candidate.title
    FROM (SELECT id, title FROM products WHERE title ILIKE ANY (asked.patterns) AND status = 'active' LIMIT 2000) candidate
    ORDER BY (SELECT count(*) FROM unnest(asked.patterns) pattern WHERE candidate.title ILIKE pattern) DESC,
             length(candidate.title), candidate.id
    LIMIT %(most)s
) product
JOIN variants variant ON variant.product_id = product.id AND variant.is_active
ORDER BY asked.n, variant.id LIMIT 5000
