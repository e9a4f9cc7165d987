-- All that decides what channels may sell of variants, in one statement and so of one moment. Every answer is a list of
-- rows as JSON, found by its keys alone; stock/facts.py puts them together. The clock is the database's, as it is when a
-- hold is taken.

-- name: facts
WITH asked AS MATERIALIZED (
    SELECT %(variants)s::bigint[] AS variants, %(channels)s::bigint[] AS channels
), wanted AS MATERIALIZED (  -- the variants themselves, and the components of bundles
    SELECT (SELECT variants FROM asked) || ARRAY(
        SELECT component_id FROM bundle_components WHERE bundle_id = ANY ((SELECT variants FROM asked)::bigint[])) AS ids
)
SELECT
    (SELECT json_agg(json_build_array(variant.id, sku, is_active, product.status))
     FROM variants variant JOIN products product ON product.id = variant.product_id
     WHERE variant.id = ANY ((SELECT variants FROM asked)::bigint[])),
    (SELECT json_agg(json_build_array(bundle_id, component_id, quantity) ORDER BY component_id) FROM bundle_components
     WHERE bundle_id = ANY ((SELECT variants FROM asked)::bigint[])),
    (SELECT json_agg(json_build_array(id, name, status, is_paused, pause_reason, currency)) FROM sales_channels
     WHERE id = ANY ((SELECT channels FROM asked)::bigint[])),
    (SELECT json_agg(json_build_array(sales_channel_id, location_id)) FROM channel_sources
     WHERE sales_channel_id = ANY ((SELECT channels FROM asked)::bigint[])),
    (SELECT json_agg(id) FROM stock_locations WHERE is_active),
    (SELECT json_agg(json_build_array(variant_id, on_hand, reserved, allocated, safety, backordered, backorder_limit))
     FROM stock_pool WHERE variant_id = ANY ((SELECT ids FROM wanted)::bigint[])),
    (SELECT json_agg(json_build_array(variant_id, location_id, on_hand - reserved - allocated, safety,
                                      low_stock_threshold))
     FROM stock_item WHERE variant_id = ANY ((SELECT ids FROM wanted)::bigint[])),
    (SELECT json_agg(json_build_array(variant_id, sales_channel_id, uses_pool, fence_left, cap, percent, buffer, lends,
                                      borrows, used, allows_backorder, incoming_horizon_days, low_stock_threshold))
     FROM channel_inventories WHERE variant_id = ANY ((SELECT ids FROM wanted)::bigint[])),
    (SELECT json_agg(json_build_array(variant_id, location_id, sales_channel_id, quantity, from_fence, lender_id,
                                      is_backorder))
     FROM reservation_line
     WHERE state = 'held' AND variant_id = ANY ((SELECT ids FROM wanted)::bigint[])
       AND expires_at <= statement_timestamp() AND quantity > 0),
    (SELECT json_agg(json_build_array(variant_id, quantity - received_quantity,
                                      extract(epoch FROM expected_at - statement_timestamp()) / 86400))
     FROM expected_receipts
     WHERE state = 'expected' AND variant_id = ANY ((SELECT ids FROM wanted)::bigint[])),
    (SELECT json_agg(json_build_array(variant_id, sales_channel_id, is_available,
                                      coalesce(statement_timestamp() < publish_from, false),
                                      coalesce(statement_timestamp() >= publish_until, false),
                                      (SELECT json_agg(currency) FROM listing_prices WHERE listing_id = listing.id)))
     FROM channel_products listing WHERE variant_id = ANY ((SELECT variants FROM asked)::bigint[])),
    (SELECT json_agg(json_build_array(variant_id, currency)) FROM variant_prices
     WHERE variant_id = ANY ((SELECT variants FROM asked)::bigint[]))
