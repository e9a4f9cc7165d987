-- Who writes tells those who watch that something changed: a topic and at most a hundred ids, nothing else.
--
-- A commit that notifies waits for all others that do, so a word is said once in a while only. Of each topic a watcher
-- (attention.py) holds an advisory lock for as long as it wants to hear the next word. A writer that gets this lock
-- shared is not asked: it keeps silent, but counts what it did. Whoever heard a word lets the lock go, looks at the count
-- for half a second, and takes the lock again; it gets it when all who kept silent have committed, so nothing is missed.

-- name: tell
CREATE OR REPLACE FUNCTION live_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text;
    rows_named bigint;
BEGIN
    IF pg_try_advisory_xact_lock_shared(4117, hashtext(TG_ARGV[0]) & 2147483647) THEN
        PERFORM nextval('live_of_' || TG_ARGV[0]);
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
-- live_watch('orders', 'orders', 'id'): from now on changes of the table are told under the topic, with that column. A
-- table of two topics has triggers of two names.
CREATE OR REPLACE FUNCTION live_watch(watched regclass, topic text, id_column text, name text DEFAULT 'live')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event text;
BEGIN
    PERFORM live_count(topic);
    FOREACH event IN ARRAY ARRAY['insert', 'update'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION live_tell(%L, %L)',
                       name || '_' || event, event, watched, topic, id_column);
    END LOOP;
END $$;

-- name: count
-- The count of a topic: of statements, nothing that has to be kept, and never waited for.
CREATE OR REPLACE FUNCTION live_count(topic text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('live_of_' || topic) IS NULL THEN
        EXECUTE format('CREATE UNLOGGED SEQUENCE %I', 'live_of_' || topic);
    END IF;
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

-- name: people
-- What happened with a person. Interactions are told by the mark that stands beside them in the same transaction: to look
-- at the rows of a COPY would make it slow. Orders, returns and merges are told by what journeys note of them.
SELECT live_watch('journey_marks', 'customers', 'customer_id'),
       live_watch('journey_changes', 'customers', 'customer_id'),
       live_watch('cross_channel_journeys', 'customers', 'customer_id', 'live_customers'),
       live_watch('consents', 'customers', 'customer_id'),
       live_watch('wishlists', 'customers', 'customer_id');

-- name: counted
-- Of each topic, how often somebody kept silent.
SELECT substr(sequencename, 9), coalesce(last_value, 0) FROM pg_sequences
WHERE schemaname = 'public' AND starts_with(sequencename, 'live_of_')

-- name: ask
-- Ask writers to speak; of those topics that are returned they do.
SELECT topic FROM unnest(%s::text[]) AS topic WHERE pg_try_advisory_lock(4117, hashtext(topic) & 2147483647)

-- name: silent
-- The topics of which somebody has kept silent who has not committed yet.
SELECT topic FROM unnest(%s::text[]) AS topic WHERE EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 4117 AND objsubid = 2
        AND objid::bigint = hashtext(topic) & 2147483647 AND mode = 'ShareLock' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))

-- name: thank
-- Let writers keep silent.
SELECT pg_advisory_unlock(4117, hashtext(topic) & 2147483647) FROM unnest(%s::text[]) AS topic
