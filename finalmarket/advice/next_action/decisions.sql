-- Decisions: who is due for one, and what came of those whose time is over.

-- name: due
-- Persons with something that may lead to advice and no open decision, whom nobody decided about longest; those who did
-- nothing in a year are left alone. A person is the profile that stands for all of theirs; a decision about any of their
-- profiles is one about them.
WITH active AS (
    SELECT DISTINCT coalesce(profile.merged_into_id, profile.id) AS id
    FROM (
        SELECT customer_id FROM orders
        WHERE customer_id IS NOT NULL AND placed_at > %(now)s - interval '365 days' AND placed_at <= %(now)s
        UNION
        SELECT customer_id FROM carts WHERE customer_id IS NOT NULL AND updated_at > %(now)s - interval '90 days'
        UNION
        SELECT customer_id FROM wishlists
        UNION
        SELECT customer_id FROM cross_channel_journeys WHERE state = 'open'
    ) did JOIN omnichannel_customers profile ON profile.id = did.customer_id
    WHERE profile.erased_at IS NULL
)
SELECT active.id FROM active
LEFT JOIN LATERAL (
    SELECT max(told.decided_at) AS at, bool_or(told.settled_at IS NULL) AS is_open
    FROM next_actions told WHERE told.customer_id IN (
        SELECT active.id UNION ALL
        SELECT merged.id FROM omnichannel_customers merged WHERE merged.merged_into_id = active.id)
) last ON true
WHERE last.is_open IS NOT TRUE
ORDER BY last.at NULLS FIRST, active.id LIMIT %(most)s

-- name: settle
-- Puts down to each decision whose window is over what its person did within it, whichever of their profiles they did it
-- on: no to being written to (-1), else an order (1), else a reply (0.1), else nothing (0). Decisions of people who were
-- merged since are those of the person they are now.
WITH due AS (
    SELECT told.id, told.decided_at, told.closes_at, coalesce(profile.merged_into_id, profile.id) AS person
    FROM next_actions told JOIN omnichannel_customers profile ON profile.id = told.customer_id
    WHERE told.settled_at IS NULL AND told.closes_at <= %(now)s
    ORDER BY told.closes_at LIMIT %(most)s FOR UPDATE OF told SKIP LOCKED
), profiles AS (
    SELECT due.id, due.decided_at, due.closes_at, ARRAY(
        SELECT profile.id FROM omnichannel_customers profile WHERE profile.id = due.person
        UNION ALL
        SELECT profile.id FROM omnichannel_customers profile WHERE profile.merged_into_id = due.person) AS ids
    FROM due
), seen AS (
    SELECT profiles.id, CASE
        WHEN EXISTS (SELECT FROM consents said
                     WHERE said.customer_id = ANY (profiles.ids) AND NOT said.is_granted
                       AND said.purpose IN ('newsletter', 'mail', 'back_in_stock')
                       AND said.at > profiles.decided_at AND said.at <= profiles.closes_at) THEN 'unsubscribed'
        WHEN EXISTS (SELECT FROM orders
                     WHERE orders.customer_id = ANY (profiles.ids) AND orders.state <> 'cancelled'
                       AND orders.placed_at > profiles.decided_at AND orders.placed_at <= profiles.closes_at) THEN 'order'
        WHEN EXISTS (SELECT FROM channel_interactions did
                     WHERE did.customer_id = ANY (profiles.ids) AND did.interaction_type IN ('email_click', 'review_submit')
                       AND did.occurred_at > profiles.decided_at AND did.occurred_at <= profiles.closes_at) THEN 'reply'
        ELSE 'nothing' END AS outcome
    FROM profiles
)
UPDATE next_actions told
SET outcome = seen.outcome, settled_at = %(now)s,
    reward = CASE seen.outcome WHEN 'order' THEN 1 WHEN 'reply' THEN 0.1 WHEN 'unsubscribed' THEN -1 ELSE 0 END
FROM seen WHERE told.id = seen.id

-- name: summary
-- What came of the decisions of a span, by action.
SELECT action, count(*), count(*) FILTER (WHERE answer = 'accepted'), count(*) FILTER (WHERE answer = 'dismissed'),
       count(*) FILTER (WHERE settled_at IS NOT NULL), count(*) FILTER (WHERE outcome = 'order'),
       count(*) FILTER (WHERE outcome = 'reply'), count(*) FILTER (WHERE outcome = 'unsubscribed')
FROM next_actions WHERE decided_at > %(since)s GROUP BY 1 ORDER BY 2 DESC, 1
