-- What persons brought so far, read from the order book for all of them or for a few ({whose} and {whose_value} are put
-- in by lifetime_value_stored.py), and what is written of it.
--
-- An order's day is its day in its channel's time zone; a person is a profile with everything merged into it; orders of
-- one day are one transaction. An amount is net revenue as daily figures have it: goods after discount, without tax
-- and shipping, less the part of refunds that falls on it. It is converted by the rate of the day; without a rate it is
-- left out and counted.

-- name: figures
CREATE TEMPORARY TABLE value_figures ON COMMIT DROP AS
WITH placed AS MATERIALIZED (
    SELECT o.id, coalesce(buyer.merged_into_id, buyer.id) AS person, o.currency, o.goods - o.discount AS sales,
           o.shipping + o.fees AS services, o.tax, o.tax_included, o.total, o.refunded,
           (o.placed_at AT TIME ZONE channel.time_zone)::date AS day
    FROM orders o JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
    JOIN sales_channels channel ON channel.id = o.sales_channel_id
    WHERE o.state <> 'cancelled' AND o.placed_at <= %(now)s {whose}
), contents AS (
    SELECT line.order_id, sum(line.tax) AS tax,
           coalesce(sum(line.tax) FILTER (WHERE line.kind NOT IN ('goods', 'discount')), 0) AS tax_of_services
    FROM placed JOIN order_lines line ON line.order_id = placed.id
    WHERE placed.tax_included AND placed.tax <> 0
    GROUP BY line.order_id
), rates AS (
    SELECT told.currency, told.day, CASE WHEN told.currency = merchant.currency THEN 1 ELSE found.rate END AS rate
    FROM (SELECT DISTINCT currency, day FROM placed) told
    CROSS JOIN (SELECT merchant_currency() AS currency) merchant
    LEFT JOIN LATERAL exchange_rate(told.currency::text, merchant.currency, told.day) found
        ON told.currency <> merchant.currency
), sold AS (
    SELECT placed.person, placed.day, rates.rate, placed.refunded, placed.total,
           round(placed.sales - CASE
               WHEN NOT placed.tax_included THEN 0
               WHEN contents.tax <> 0 THEN placed.tax - contents.tax_of_services
               ELSE coalesce(placed.tax * placed.sales / nullif(placed.sales + placed.services, 0), 0)
           END, 4) AS revenue
    FROM placed LEFT JOIN contents ON contents.order_id = placed.id
    JOIN rates ON rates.currency = placed.currency AND rates.day = placed.day
), days AS (
    SELECT person, day, count(*) AS orders, count(*) FILTER (WHERE rate IS NULL) AS unpriced,
           sum(round((revenue - coalesce(refunded * revenue / nullif(total, 0), 0)) * rate, 4)) AS worth,
           min(day) OVER (PARTITION BY person) AS first_day
    FROM sold GROUP BY person, day
)
SELECT days.person, sum(days.orders)::int AS orders, count(*)::int AS order_days, min(days.day) AS first_day,
       max(days.day) AS last_day, coalesce(sum(days.worth), 0) AS value,
       coalesce(sum(days.worth) FILTER (WHERE days.day > %(today)s::date - 365), 0) AS value_year,
       avg(days.worth) FILTER (WHERE days.day > days.first_day) AS repeat_mean, sum(days.unpriced)::int AS unpriced
FROM days JOIN omnichannel_customers person ON person.id = days.person AND person.erased_at IS NULL
GROUP BY days.person

-- name: read
-- As models take it: repeat transactions, days from the first to the last and to today, mean of the repeat ones.
COPY (SELECT person, order_days - 1, last_day - first_day, greatest({today}, last_day) - first_day,
             coalesce(repeat_mean, 0)
      FROM value_figures ORDER BY person) TO STDOUT (FORMAT CSV)

-- name: expected
CREATE TEMPORARY TABLE value_expected (person bigint PRIMARY KEY, alive float8, orders float8, value numeric,
                                       low numeric, high numeric) ON COMMIT DROP

-- name: cuts
-- From which value on the scores 2 to 5 are given: the least value below which lie at least a fifth, two fifths, ... of
-- all. Equal values have equal scores whatever the order of the rows; a score that nobody can reach has no cut.
WITH counted AS (
    SELECT {measure} AS measure, count(*) AS number FROM value_figures GROUP BY 1
), below AS (
    SELECT measure, sum(number) OVER (ORDER BY measure) - number AS less, sum(number) OVER () AS everybody FROM counted
)
SELECT part, min(measure) FILTER (WHERE less * 5 >= everybody * part) FROM below CROSS JOIN generate_series(1, 4) part
GROUP BY part ORDER BY part

-- name: write
INSERT INTO customer_values AS known (person_id, model_id, computed_at, currency, orders, order_days, first_order_on,
    last_order_on, value, value_year, repeat_mean, unpriced_orders, recency_score, frequency_score, monetary_score,
    alive, expected_orders, expected_value, expected_low, expected_high, lifetime_value)
SELECT f.person, %(model)s, %(now)s, %(currency)s, f.orders, f.order_days, f.first_day, f.last_day, f.value,
       f.value_year, f.repeat_mean, f.unpriced, 1 + width_bucket(f.last_day, %(recency)s::date[]),
       1 + width_bucket(f.order_days, %(frequency)s::int[]), 1 + width_bucket(f.value, %(money)s::numeric[]),
       e.alive, e.orders, e.value, e.low, e.high, f.value + coalesce(e.value, 0)
FROM value_figures f LEFT JOIN value_expected e ON e.person = f.person
ORDER BY f.person
ON CONFLICT (person_id) DO UPDATE SET
    model_id = excluded.model_id, computed_at = excluded.computed_at, currency = excluded.currency,
    orders = excluded.orders, order_days = excluded.order_days, first_order_on = excluded.first_order_on,
    last_order_on = excluded.last_order_on, value = excluded.value, value_year = excluded.value_year,
    repeat_mean = excluded.repeat_mean, unpriced_orders = excluded.unpriced_orders,
    recency_score = excluded.recency_score, frequency_score = excluded.frequency_score,
    monetary_score = excluded.monetary_score, alive = excluded.alive, expected_orders = excluded.expected_orders,
    expected_value = excluded.expected_value, expected_low = excluded.expected_low,
    expected_high = excluded.expected_high, lifetime_value = excluded.lifetime_value

-- name: remove
-- Persons who have no orders any more, or are no persons of their own any more.
DELETE FROM customer_values known
WHERE NOT EXISTS (SELECT FROM value_figures f WHERE f.person = known.person_id) {whose_value}

-- name: touched
-- Persons whose orders something happened to since a moment.
SELECT DISTINCT coalesce(buyer.merged_into_id, buyer.id)
FROM order_events event JOIN orders o ON o.id = event.order_id
JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
WHERE event.at > %(since)s
  AND event.kind IN ('shipped', 'delivered', 'refunded', 'cancelled', 'paid', 'taken', 'updated', 'returned')
