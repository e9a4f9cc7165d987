-- What the lake has to write anew is noted by triggers, in the transaction that changes it, as days in UTC: no verb has
-- to remember to tell, and nothing is told that was rolled back. Rows are only added: nobody waits for anybody.
-- Interactions have no trigger: COPY into partitions would lose its speed. They are never changed, and are found by
-- their numbers (see due.py).

CREATE OR REPLACE FUNCTION lake_note_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'orders', (placed_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lake_note_order_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'orders', (placed.placed_at AT TIME ZONE 'UTC')::date
    FROM touched JOIN orders placed ON placed.id = touched.order_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lake_note_journeys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'journeys', (started_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lake_note_touchpoints() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'touchpoints', (occurred_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

-- An update is noted for the day before and the day after it.
DO $$
DECLARE
    watched record;
BEGIN
    FOR watched IN SELECT * FROM (VALUES ('orders', 'lake_note_orders'), ('order_lines', 'lake_note_order_lines'),
                                         ('cross_channel_journeys', 'lake_note_journeys'),
                                         ('journey_touchpoints', 'lake_note_touchpoints')) pairs(name, noting) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS lake_added ON %I', watched.name);
        EXECUTE format('DROP TRIGGER IF EXISTS lake_before ON %I', watched.name);
        EXECUTE format('DROP TRIGGER IF EXISTS lake_after ON %I', watched.name);
        EXECUTE format('DROP TRIGGER IF EXISTS lake_gone ON %I', watched.name);
        EXECUTE format('CREATE TRIGGER lake_added AFTER INSERT ON %I REFERENCING NEW TABLE AS touched '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %I()', watched.name, watched.noting);
        EXECUTE format('CREATE TRIGGER lake_before AFTER UPDATE ON %I REFERENCING OLD TABLE AS touched '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %I()', watched.name, watched.noting);
        EXECUTE format('CREATE TRIGGER lake_after AFTER UPDATE ON %I REFERENCING NEW TABLE AS touched '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %I()', watched.name, watched.noting);
        EXECUTE format('CREATE TRIGGER lake_gone AFTER DELETE ON %I REFERENCING OLD TABLE AS touched '
                       'FOR EACH STATEMENT EXECUTE FUNCTION %I()', watched.name, watched.noting);
    END LOOP;
END $$;
