-- Rows of a day: journeys $first + 1 to $last. What differs from journey to journey comes from hashes of its number.

-- name: journeys
SELECT n AS id, 1 + (hash(n) % 8)::BIGINT AS channel, 1 + (hash(n, 1) % $customers)::BIGINT AS customer,
       ['browse', 'research', 'purchase', 'purchase', 'support'][1 + (hash(n, 2) % 5)::INTEGER] AS intent,
       CASE WHEN n % 8 = 0 THEN 'completed' ELSE 'abandoned' END AS state,
       CASE WHEN n % 8 = 0 THEN n // 8 END AS order_id, begun AS started_at, begun + INTERVAL 40 MINUTE AS ended_at,
       begun::DATE AS local_date, 1::BIGINT AS visits, 5::BIGINT AS score
FROM (SELECT range AS n, $day::TIMESTAMP + to_seconds((hash(range, 3) % 80000)::BIGINT) AS begun
      FROM range($first + 1, $last + 1)) ORDER BY started_at

-- name: touchpoints
SELECT 5 * (n - 1) + step + 1 AS id, n AS journey, 1 + (hash(n + step // 3) % 8)::BIGINT AS channel,
       ['page_view', 'product_view', 'product_view', 'add_to_cart', 'checkout_start', 'checkout_complete', 'search']
           [1 + least(6, step + (hash(n, step) % 3)::BIGINT)] AS action,
       begun + to_seconds(600 * step) AS occurred_at, 1::BIGINT AS visit
FROM (SELECT range AS n, $day::TIMESTAMP + to_seconds((hash(range, 3) % 80000)::BIGINT) AS begun
      FROM range($first + 1, $last + 1)), (SELECT range AS step FROM range(5)) ORDER BY occurred_at

-- name: interactions
SELECT 5 * (n - 1) + step + 1 AS id, 1 + (hash(n + step // 3) % 8)::BIGINT AS channel,
       1 + (hash(n, 1) % $customers)::BIGINT AS customer,
       ['page_view', 'product_view', 'product_view', 'add_to_cart', 'checkout_start', 'checkout_complete', 'search']
           [1 + least(6, step + (hash(n, step) % 3)::BIGINT)] AS interaction_type, 1::SMALLINT AS value_score,
       begun + to_seconds(600 * step) AS occurred_at, begun + to_seconds(600 * step + 1) AS received_at,
       begun::DATE AS local_date
FROM (SELECT range AS n, $day::TIMESTAMP + to_seconds((hash(range, 3) % 80000)::BIGINT) AS begun
      FROM range($first + 1, $last + 1)), (SELECT range AS step FROM range(5)) ORDER BY occurred_at

-- name: orders
SELECT n // 8 AS id, 1 + (hash(n) % 8)::BIGINT AS channel, 1 + (hash(n, 1) % $customers)::BIGINT AS customer,
       CASE WHEN n % 400 = 0 THEN 'cancelled' ELSE 'fulfilled' END AS state, 'paid' AS payment_state, 'EUR' AS currency,
       begun + INTERVAL 40 MINUTE AS placed_at, begun::DATE AS local_date, goods, 0::DECIMAL(18, 4) AS discount,
       4.9::DECIMAL(18, 4) AS shipping, 0::DECIMAL(18, 4) AS fees, 0::DECIMAL(18, 4) AS tip, tax, true AS tax_included,
       (goods + 4.9)::DECIMAL(18, 4) AS total, 0::DECIMAL(18, 4) AS refunded, (goods - tax)::DECIMAL(18, 4) AS revenue,
       0::DECIMAL(18, 4) AS refunds, 1 + (hash(n, 5) % 4)::BIGINT AS units_sold, 0::BIGINT AS units_returned
FROM (SELECT n, begun, (cents / 100)::DECIMAL(18, 4) AS goods, (cents * 19 // 119 / 100)::DECIMAL(18, 4) AS tax
      FROM (SELECT range AS n, 1000 + (hash(range, 4) % 20000)::BIGINT AS cents,
                   $day::TIMESTAMP + to_seconds((hash(range, 3) % 80000)::BIGINT) AS begun
            FROM range($first + 1, $last + 1) WHERE range % 8 = 0)) ORDER BY placed_at

-- name: channels
SELECT range AS id, kind AS name, kind AS slug, kind AS channel_type, 'EUR' AS currency, 'UTC' AS time_zone
FROM (SELECT range, ['web', 'mobile', 'marketplace', 'social', 'store', 'phone', 'email', 'chat'][range] AS kind
      FROM range(1, 9))

-- name: persons
SELECT range AS customer, range - 19 AS person FROM range(20, $customers + 1, 20)

-- name: scan
SELECT sum(journey), sum(channel), count(action), max(occurred_at), max(id) FROM touchpoints
