-- What is known of many persons at once, for what to do next. `people` and `profiles` go side by side: all profiles of
-- each person. Every statement answers for all of them.

-- name: known
SELECT person.id,
       EXISTS (SELECT FROM omnichannel_customers profile
               WHERE profile.id = ANY (person.profiles) AND profile.erased_at IS NOT NULL) AS is_erased,
       (SELECT max(coalesce(parcel.delivered_at, parcel.shipped_at))
        FROM orders JOIN fulfilments parcel ON parcel.order_id = orders.id
        WHERE orders.customer_id = ANY (person.profiles) AND parcel.state IN ('shipped', 'delivered')) AS arrived_at,
       (SELECT max(did.occurred_at) FROM channel_interactions did
        WHERE did.customer_id = ANY (person.profiles) AND did.interaction_type = 'review_submit'
          AND did.occurred_at > %(now)s - interval '90 days') AS reviewed_at,
       (SELECT orders.number FROM orders
        WHERE orders.customer_id = ANY (person.profiles) AND orders.problem <> ''
          AND orders.state IN ('open', 'partly_fulfilled') ORDER BY orders.placed_at DESC LIMIT 1) AS troubled_order,
       (SELECT json_agg(json_build_array(said.purpose, said.sales_channel_id, said.is_granted))
        FROM (SELECT * FROM consents WHERE customer_id = ANY (person.profiles) AND at <= %(now)s
              ORDER BY at, NOT is_granted, id) said) AS words,  -- of two words of one moment the no is last, and counts
       ARRAY (SELECT told.answered_at FROM next_actions told
              WHERE told.customer_id = ANY (person.profiles) AND told.answer = 'accepted'
                AND told.action = ANY (%(selling)s::text[]) AND told.decided_at > %(now)s - interval '60 days'
                AND told.answered_at > %(now)s - interval '30 days') AS contacts,
       ARRAY (SELECT told.action FROM next_actions told
              WHERE told.customer_id = ANY (person.profiles) AND told.answer = 'dismissed'
                AND told.decided_at > %(now)s - interval '60 days'
                AND told.answered_at > %(now)s - interval '30 days') AS dismissed,
       (SELECT max(told.id) FROM next_actions told
        WHERE told.customer_id = ANY (person.profiles) AND told.settled_at IS NULL
          AND told.closes_at > %(now)s) AS standing
FROM (SELECT asked.person AS id, array_agg(asked.profile) AS profiles
      FROM unnest(%(people)s::bigint[], %(profiles)s::bigint[]) AS asked(person, profile) GROUP BY 1) person

-- name: goods
-- What they bought within a year, looked at within 90 days, wish for, and have in their cart: the newest 60 of each. A
-- cart is that of the person, as orders/one_cart.py has it: of each variant the newest word counts, for 90 days.
WITH member AS MATERIALIZED (
    SELECT person, profile FROM unnest(%(people)s::bigint[], %(profiles)s::bigint[]) AS asked(person, profile)
), touched AS (
    SELECT member.person, 'bought' AS kind, line.variant_id, count(DISTINCT orders.id)::int AS times,
           min(orders.placed_at) AS first, max(orders.placed_at) AS last, NULL::numeric AS price, '' AS currency,
           NULL::bigint AS channel
    FROM member
    JOIN orders ON orders.customer_id = member.profile AND orders.state <> 'cancelled'
     AND orders.placed_at > %(now)s - interval '365 days' AND orders.placed_at <= %(now)s
    JOIN order_lines line ON line.order_id = orders.id AND line.kind = 'goods' AND line.variant_id IS NOT NULL
     AND line.quantity > line.cancelled_quantity
    GROUP BY 1, 3
    UNION ALL
    SELECT member.person, 'looked', variant.id, count(*)::int, min(did.occurred_at), max(did.occurred_at), NULL, '', NULL
    FROM member
    JOIN channel_interactions did ON did.customer_id = member.profile AND did.interaction_type = 'product_view'
     AND did.occurred_at > %(now)s - interval '90 days' AND did.occurred_at <= %(now)s
    JOIN variants variant ON variant.sku = did.context ->> 'sku'
    GROUP BY 1, 3
    UNION ALL
    SELECT member.person, 'wished', wish.variant_id, 1, min(wish.added_at), max(wish.added_at), NULL, '', NULL
    FROM member JOIN wishlists wish ON wish.customer_id = member.profile GROUP BY 1, 3
    UNION ALL
    SELECT person, 'cart', variant_id, quantity, changed_at, changed_at, unit_price, currency, sales_channel_id
    FROM (
        SELECT DISTINCT ON (member.person, line.variant_id) member.person, line.variant_id, line.quantity,
               line.changed_at, line.unit_price, line.currency, cart.sales_channel_id
        FROM member
        JOIN carts cart ON cart.customer_id = member.profile AND cart.reservation_key <> 'checked out'
        JOIN cart_lines line ON line.cart_id = cart.id AND line.changed_at >= %(now)s - interval '90 days'
        ORDER BY member.person, line.variant_id, line.changed_at DESC, line.id DESC) newest
    WHERE quantity > 0
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY person, kind ORDER BY last DESC, variant_id) AS place FROM touched
)
SELECT placed.person, placed.kind, placed.variant_id, placed.times, placed.first, placed.last, placed.price,
       placed.currency, placed.channel, variant.sku, product.title
FROM placed JOIN variants variant ON variant.id = placed.variant_id JOIN products product ON product.id = variant.product_id
WHERE placed.place <= 60 ORDER BY placed.person, placed.kind, placed.place

-- name: house
-- What is the same for everybody: the channels, what an order usually brings in each currency, the policy that is trusted.
SELECT (SELECT json_agg(json_build_array(id, name, currency, status = 'active' AND NOT is_paused,
                                         coalesce(configuration -> 'own_mails' <> 'false'::jsonb, true)) ORDER BY id)
        FROM sales_channels),
       (SELECT json_object_agg(currency, usual) FROM (
           SELECT currency, avg(goods - discount)::numeric(16, 2)::text AS usual
           FROM (SELECT currency, goods, discount FROM orders WHERE state <> 'cancelled'
                 ORDER BY placed_at DESC, id DESC LIMIT 200) newest GROUP BY 1) mean),
       (SELECT json_build_object('version', version, 'state', state) FROM action_policies
        WHERE is_trusted ORDER BY id LIMIT 1)

-- name: suits
-- What goes with these variants, and what sells best on the channels, with names.
SELECT fit.variant_id, fit.other_id, fit.score, NULL::bigint AS channel, fit.place, variant.sku, product.title
FROM goods_affinities fit JOIN variants variant ON variant.id = fit.other_id
JOIN products product ON product.id = variant.product_id
WHERE fit.variant_id = ANY (%(variants)s::bigint[])
UNION ALL
SELECT NULL, seller.variant_id, seller.score, seller.sales_channel_id, seller.place, variant.sku, product.title
FROM best_sellers seller JOIN variants variant ON variant.id = seller.variant_id
JOIN products product ON product.id = variant.product_id
WHERE seller.sales_channel_id = ANY (%(channels)s::bigint[])
ORDER BY 4, 5
