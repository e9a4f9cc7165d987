-- What is bought and looked at, and where the tables of recommendations are written.

-- name: touches
-- Who bought what within a year, and looked at what within 90 days: by person, the newest time of each, on which channel
-- it was bought last. People who were erased count as the number that is left of them: nothing here names anybody.
SELECT coalesce(profile.merged_into_id, profile.id), line.variant_id, 'bought', max(orders.placed_at)
FROM orders JOIN omnichannel_customers profile ON profile.id = orders.customer_id
JOIN order_lines line ON line.order_id = orders.id
WHERE orders.placed_at > %(now)s - interval '365 days' AND orders.placed_at <= %(now)s AND orders.state <> 'cancelled'
  AND line.kind = 'goods' AND line.variant_id IS NOT NULL AND line.quantity > line.cancelled_quantity
GROUP BY 1, 2
UNION ALL
SELECT coalesce(profile.merged_into_id, profile.id), variant.id, 'looked', max(did.occurred_at)
FROM channel_interactions did JOIN omnichannel_customers profile ON profile.id = did.customer_id
JOIN variants variant ON variant.sku = did.context ->> 'sku'
WHERE did.interaction_type = 'product_view' AND did.occurred_at > %(now)s - interval '90 days'
  AND did.occurred_at <= %(now)s
GROUP BY 1, 2

-- name: sales
-- Who bought what on which channel; of buyers without a profile each order counts as one.
SELECT orders.sales_channel_id, coalesce(profile.merged_into_id, profile.id, -orders.id), line.variant_id,
       max(orders.placed_at)
FROM orders JOIN order_lines line ON line.order_id = orders.id
LEFT JOIN omnichannel_customers profile ON profile.id = orders.customer_id
WHERE orders.placed_at > %(now)s - interval '180 days' AND orders.placed_at <= %(now)s AND orders.state <> 'cancelled'
  AND line.kind = 'goods' AND line.variant_id IS NOT NULL AND line.quantity > line.cancelled_quantity
GROUP BY 1, 2, 3
