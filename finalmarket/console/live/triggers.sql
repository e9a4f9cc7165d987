-- Who writes tells those who watch, by NOTIFY, that something changed: a topic and at most a hundred ids, nothing else.
--
-- A commit that notifies waits for all others that do. So a word is said only while somebody watches: whoever listens
-- (listening.py) holds the advisory lock (4117, 1), or waits for it, from the first open console to the last. A writer
-- that gets the lock shared is alone in the house and keeps silent, which costs it a microsecond.

-- name: tell
CREATE OR REPLACE FUNCTION live_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text;
    rows_named bigint;
BEGIN
    IF pg_try_advisory_xact_lock_shared(4117, 1) THEN
        RETURN NULL;
    END IF;
    -- The first hundred and one ids say whether there are too many to name, and whether there is any at all.
    EXECUTE format('SELECT string_agg(DISTINCT id::text, '',''), count(*) FROM
                    (SELECT DISTINCT %I AS id FROM changed LIMIT 101) first_ones', TG_ARGV[1]) INTO named, rows_named;
    IF rows_named > 0 THEN
        PERFORM pg_notify('finalmarket_live',
                          TG_ARGV[0] || CASE WHEN rows_named > 100 OR named IS NULL THEN '' ELSE ':' || named END);
    END IF;
    RETURN NULL;
END $$;

-- name: watch
-- live_watch('orders', 'orders', 'id'): from now on changes of the table are told under the topic, with that column.
CREATE OR REPLACE FUNCTION live_watch(watched regclass, topic text, id_column text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event text;
BEGIN
    FOREACH event IN ARRAY ARRAY['insert', 'update'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER live_%s AFTER %s ON %s REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION live_tell(%L, %L)', event, event, watched, topic, id_column);
    END LOOP;
END $$;

-- name: watched
SELECT live_watch('orders', 'orders', 'id'),
       live_watch('fulfilments', 'orders', 'order_id'),
       live_watch('returns', 'orders', 'order_id'),
       live_watch('stock_pool', 'stock', 'variant_id'),
       live_watch('stock_alerts', 'alerts', 'variant_id'),
       live_watch('transfers', 'papers', 'id'),
       live_watch('stock_counts', 'papers', 'id'),
       live_watch('channel_analytics', 'figures', 'sales_channel_id'),
       live_watch('channel_integrations', 'integrations', 'id'),
       live_watch('sync_runs', 'integrations', 'integration_id'),
       live_watch('dead_letters', 'integrations', 'integration_id'),
       live_watch('cross_channel_journeys', 'journeys', 'id'),
       live_watch('notices', 'notices', 'id');
