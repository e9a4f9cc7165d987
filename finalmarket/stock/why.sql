-- What stands behind one number: "why is it 47?".

-- name: on_hand_by_kind
SELECT kind, sum(on_hand_delta)::int AS units, count(*) AS movements FROM stock_movement
WHERE variant_id = %(variant)s AND on_hand_delta <> 0 GROUP BY kind ORDER BY min(id)

-- name: latest_movements
SELECT movement.kind, movement.on_hand_delta, movement.at, coalesce(location.code, '') AS place, movement.reference,
       movement.actor, movement.reason
FROM stock_movement movement LEFT JOIN stock_locations location ON location.id = movement.location_id
WHERE movement.variant_id = %(variant)s AND movement.on_hand_delta <> 0 AND movement.kind = %(kind)s
ORDER BY movement.id DESC LIMIT %(most)s

-- name: open_lines
-- Holds that have not ended, promises, and backorders; how many there are stands in each row.
SELECT state, is_backorder, units, lines, reservation_id, key, channel, place, quantity, expires_at
FROM (
    SELECT line.state, line.is_backorder, line.quantity, line.expires_at, hold.id AS reservation_id, hold.key,
           channel.name AS channel, coalesce(location.code, '') AS place,
           sum(line.quantity) OVER same AS units, count(*) OVER same AS lines,
           row_number() OVER (PARTITION BY line.state, line.is_backorder ORDER BY line.reservation_id, line.position) AS n
    FROM reservation_line line JOIN reservation hold ON hold.id = line.reservation_id
    JOIN sales_channels channel ON channel.id = line.sales_channel_id
    LEFT JOIN stock_locations location ON location.id = line.location_id
    WHERE line.variant_id = %(variant)s AND line.quantity > 0
      AND (line.state = 'held' AND line.expires_at > statement_timestamp() OR line.state = 'confirmed')
    WINDOW same AS (PARTITION BY line.state, line.is_backorder)) counted
WHERE n <= %(most)s ORDER BY state, is_backorder, n

-- name: safety_by_place
SELECT location.code, item.safety FROM stock_item item JOIN stock_locations location ON location.id = item.location_id
WHERE item.variant_id = %(variant)s AND item.safety > 0 ORDER BY location.priority, location.id

-- name: shelves
-- What is free at each place, beyond safety stock, and whether the channel sells from there.
SELECT location.code, (item.on_hand - item.reserved - item.allocated - item.safety + coalesce(ended.units, 0))::int AS free,
       location.is_active AND (source.id IS NOT NULL OR NOT EXISTS (
           SELECT FROM channel_sources own WHERE own.sales_channel_id = %(channel)s)) AS is_source
FROM stock_item item JOIN stock_locations location ON location.id = item.location_id
LEFT JOIN channel_sources source ON source.location_id = location.id AND source.sales_channel_id = %(channel)s
LEFT JOIN LATERAL (
    SELECT sum(line.quantity) AS units FROM reservation_line line
    WHERE line.variant_id = item.variant_id AND line.location_id = item.location_id AND line.state = 'held'
      AND line.expires_at <= statement_timestamp()
) ended ON true
WHERE item.variant_id = %(variant)s ORDER BY location.priority, location.id

-- name: fences
-- What is left in each fence, with what ended holds give back, and whether it may be lent.
SELECT channel.id, channel.name, inventory.lends, (inventory.fence_left + coalesce(back.units, 0))::int AS fence
FROM channel_inventories inventory JOIN sales_channels channel ON channel.id = inventory.sales_channel_id
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN line.lender_id = channel.id THEN line.quantity ELSE line.from_fence END) AS units
    FROM reservation_line line
    WHERE line.variant_id = inventory.variant_id AND line.state = 'held' AND line.expires_at <= statement_timestamp()
      AND (line.lender_id = channel.id OR line.sales_channel_id = channel.id)
) back ON true
WHERE inventory.variant_id = %(variant)s AND inventory.fence_left + coalesce(back.units, 0) > 0 ORDER BY channel.id

-- name: expected
SELECT expected.quantity - expected.received_quantity AS units, expected.expected_at, expected.supplier,
       expected.reference, location.code
FROM expected_receipts expected JOIN stock_locations location ON location.id = expected.location_id
WHERE expected.variant_id = %(variant)s AND expected.state = 'expected'
  AND expected.expected_at <= statement_timestamp() + make_interval(days => %(days)s)
ORDER BY expected.expected_at, expected.id
