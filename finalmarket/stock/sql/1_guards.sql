-- What the database refuses on its own, whoever asks.

CREATE OR REPLACE FUNCTION stock_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The stock ledger is append-only: % on % is refused. Correct a movement with another movement.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER IF EXISTS stock_movement_append_only ON stock_movement;
CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION stock_refuse_change();

-- Every variant has its pool, the row that its writers lock, from the moment it exists.
CREATE OR REPLACE FUNCTION stock_open_pools() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock_pool (variant_id) SELECT id FROM added ORDER BY id ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS variants_open_pools ON variants;
CREATE TRIGGER variants_open_pools AFTER INSERT ON variants
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stock_open_pools();
INSERT INTO stock_pool (variant_id) SELECT id FROM variants ORDER BY id ON CONFLICT DO NOTHING;

-- Counters move often: room on the page keeps their updates off the indexes.
ALTER TABLE stock_pool SET (fillfactor = 50);
ALTER TABLE stock_item SET (fillfactor = 50);
ALTER TABLE channel_inventories SET (fillfactor = 70);
ALTER TABLE due_changes SET (fillfactor = 70);
