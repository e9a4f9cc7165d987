-- Numbers that people set: safety stock, the backorder limit. Balances are written in this folder alone.

-- Safety stock of one place; the pool's is the sum over its places. Written to the ledger with its reason.
CREATE OR REPLACE FUNCTION stock_set_safety(
    p_variant bigint, p_location bigint, p_units int, p_actor text, p_reason text
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_before int;
BEGIN
    PERFORM stock_lock(ARRAY[p_variant]);
    INSERT INTO stock_item (variant_id, location_id) VALUES (p_variant, p_location) ON CONFLICT DO NOTHING;
    SELECT safety INTO v_before FROM stock_item WHERE variant_id = p_variant AND location_id = p_location;
    IF v_before = p_units THEN
        RETURN 0;
    END IF;
    UPDATE stock_item SET safety = p_units WHERE variant_id = p_variant AND location_id = p_location;
    UPDATE stock_pool SET safety = safety + p_units - v_before WHERE variant_id = p_variant;
    PERFORM stock_note('adjust', p_variant, p_location, NULL, p_actor,
                       'safety stock ' || v_before || ' -> ' || p_units || p_reason);
    RETURN p_units - v_before;
END $$;

-- The most units of a variant that may be promised beyond stock, by all its channels together.
CREATE OR REPLACE FUNCTION stock_set_backorder_limit(
    p_variant bigint, p_units int, p_actor text, p_reason text
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_before int;
BEGIN
    PERFORM stock_lock(ARRAY[p_variant]);
    SELECT backorder_limit INTO v_before FROM stock_pool WHERE variant_id = p_variant;
    IF v_before = p_units THEN
        RETURN 0;
    END IF;
    UPDATE stock_pool SET backorder_limit = p_units WHERE variant_id = p_variant;
    PERFORM stock_note('backorder', p_variant, NULL, NULL, p_actor,
                       'backorder limit ' || v_before || ' -> ' || p_units || p_reason);
    RETURN p_units - v_before;
END $$;

-- A ledger line that moves nothing and says what was decided; marks the listings as due and the alerts as to be seen to.
CREATE OR REPLACE FUNCTION stock_note(
    p_kind text, p_variant bigint, p_location bigint, p_channel bigint, p_actor text, p_reason text
) RETURNS void LANGUAGE sql AS $$
    SELECT stock_post(ARRAY[p_kind], ARRAY[p_variant], ARRAY[p_location], ARRAY[p_channel], ARRAY[0], ARRAY[0], ARRAY[0],
                      ARRAY[0], ARRAY[0], ARRAY[NULL::bigint], ARRAY[''], p_actor, ARRAY[left(p_reason, 200)])
$$;

-- What channels may sell has changed without a movement: a delivery was announced, put off or cancelled.
CREATE OR REPLACE FUNCTION stock_touch(p_variants bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stock_lock(p_variants);
    UPDATE stock_pool SET alerts_due = true WHERE variant_id = ANY (p_variants) AND NOT alerts_due;
    PERFORM stock_mark_due(p_variants);
END $$;
