-- name: own
-- Makes stock, price and content of these listings due, told by this integration.
WITH marked AS (
    INSERT INTO due_changes AS due (listing_id, what, version, settled_version, claimed_version, attempts, last_error,
                                    integration_id)
    SELECT listing, what, 1, 0, 0, 0, '', %(integration)s
    FROM unnest(%(listings)s::bigint[]) listing, unnest('{content,price,stock}'::text[]) what ORDER BY listing, what
    ON CONFLICT (listing_id, what) DO UPDATE SET
        version = due.version + 1, integration_id = excluded.integration_id, due_since = statement_timestamp(),
        claimed_until = NULL, attempts = 0, last_error = ''
    RETURNING listing_id
)
UPDATE channel_products SET sync_state = 'due', sync_error = '' WHERE id IN (SELECT listing_id FROM marked)
