-- The only writer of movements and counters.

CREATE OR REPLACE FUNCTION stock_lock(p_variants bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Stock is written at READ COMMITTED: a later statement must see what a waited-for lock let in.';
    END IF;
    PERFORM FROM stock_pool WHERE variant_id = ANY (p_variants) ORDER BY variant_id FOR UPDATE;
END $$;

-- Marks every listing of these variants, and of the bundles they are part of, as due; a listing that waits already,
-- unclaimed, is only locked, so that whoever claims it next sees this change.
CREATE OR REPLACE FUNCTION stock_mark_due(p_variants bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO due_changes AS due (listing_id, what, version, settled_version, claimed_version, attempts, last_error)
    SELECT listing.id, 'stock', 1, 0, 0, 0, ''
    FROM (SELECT unnest(p_variants) AS id
          UNION SELECT bundle_id FROM bundle_components WHERE component_id = ANY (p_variants)) variant
    CROSS JOIN LATERAL (SELECT id FROM channel_products WHERE variant_id = variant.id OFFSET 0) listing
    ORDER BY listing.id
    ON CONFLICT (listing_id, what) DO UPDATE SET version = due.version + 1, due_since = statement_timestamp()
        WHERE due.version <= greatest(due.settled_version, due.claimed_version)
$$;

-- Adds movements to items, pools and policies. Called by the two functions below alone, which write the ledger.
CREATE OR REPLACE FUNCTION stock_count(
    p_variant bigint[], p_location bigint[], p_channel bigint[], p_on_hand int[], p_reserved int[], p_allocated int[],
    p_fence int[], p_backordered int[]
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moved record;
BEGIN
    -- Row by row, each by its key: a plan for a join, made while the tables were small, would read them whole for ever.
    FOR moved IN
        SELECT variant, location, sum(on_hand)::int on_hand, sum(reserved)::int reserved, sum(allocated)::int allocated
        FROM unnest(p_variant, p_location, p_on_hand, p_reserved, p_allocated) m(variant, location, on_hand, reserved, allocated)
        WHERE location IS NOT NULL GROUP BY variant, location ORDER BY variant, location
    LOOP
        UPDATE stock_item SET on_hand = stock_item.on_hand + moved.on_hand, reserved = stock_item.reserved + moved.reserved,
                              allocated = stock_item.allocated + moved.allocated
        WHERE variant_id = moved.variant AND location_id = moved.location;
        IF NOT FOUND THEN
            INSERT INTO stock_item (variant_id, location_id, on_hand, reserved, allocated)
            VALUES (moved.variant, moved.location, moved.on_hand, moved.reserved, moved.allocated);
        END IF;
    END LOOP;

    FOR moved IN
        SELECT variant, sum(on_hand)::int on_hand, sum(reserved)::int reserved, sum(allocated)::int allocated,
               sum(fence)::int fence, sum(backordered)::int backordered
        FROM unnest(p_variant, p_on_hand, p_reserved, p_allocated, p_fence, p_backordered)
             m(variant, on_hand, reserved, allocated, fence, backordered) GROUP BY variant ORDER BY variant
    LOOP
        UPDATE stock_pool SET on_hand = stock_pool.on_hand + moved.on_hand, reserved = stock_pool.reserved + moved.reserved,
                              allocated = stock_pool.allocated + moved.allocated, fenced = fenced + moved.fence,
                              backordered = stock_pool.backordered + moved.backordered, alerts_due = true
        WHERE variant_id = moved.variant;
    END LOOP;

    -- All policies of a variant by one statement: to begin one costs more than to change a row.
    FOR moved IN
        SELECT variant, array_agg(channel) channels, array_agg(used) used, array_agg(fence) fence
        FROM (SELECT variant, channel, sum(reserved + allocated)::int used, sum(fence)::int fence
              FROM unnest(p_variant, p_channel, p_reserved, p_allocated, p_fence) m(variant, channel, reserved, allocated, fence)
              WHERE channel IS NOT NULL GROUP BY variant, channel
              HAVING sum(reserved + allocated) <> 0 OR sum(fence) <> 0) policies
        GROUP BY variant ORDER BY variant
    LOOP
        UPDATE channel_inventories
        SET used = channel_inventories.used + moved.used[array_position(moved.channels, sales_channel_id)],
            fence_left = fence_left + moved.fence[array_position(moved.channels, sales_channel_id)]
        WHERE variant_id = moved.variant AND sales_channel_id = ANY (moved.channels);
    END LOOP;
END $$;

-- Applies movements to items, pools and policies and writes them to the ledger. The caller has locked the pools.
-- The arrays run in parallel, one entry a movement; p_location is null for what lies nowhere (fences, backorders).
CREATE OR REPLACE FUNCTION stock_post(
    p_kind text[], p_variant bigint[], p_location bigint[], p_channel bigint[], p_on_hand int[], p_reserved int[],
    p_allocated int[], p_fence int[], p_backordered int[], p_reservation bigint[], p_reference text[], p_actor text,
    p_reason text[]
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM stock_count(p_variant, p_location, p_channel, p_on_hand, p_reserved, p_allocated, p_fence, p_backordered);

    INSERT INTO stock_movement (at, kind, variant_id, location_id, sales_channel_id, on_hand_delta, reserved_delta,
        allocated_delta, fence_delta, backordered_delta, reservation_id, reference, actor, reason)
    SELECT clock_timestamp(), kind, variant, location, channel, on_hand, reserved, allocated, fence, backordered, reservation,
           coalesce(reference, ''), p_actor, coalesce(reason, '')
    FROM unnest(p_kind, p_variant, p_location, p_channel, p_on_hand, p_reserved, p_allocated, p_fence, p_backordered,
                p_reservation, p_reference, p_reason)
         m(kind, variant, location, channel, on_hand, reserved, allocated, fence, backordered, reservation, reference, reason);

    PERFORM stock_mark_due(ARRAY(SELECT DISTINCT unnest(p_variant)));
END $$;

-- The same for what stock_reserve has taken, thousands of entries at a time, from its own arrays: counters are summed up
-- over policy and item first.
CREATE OR REPLACE FUNCTION stock_post_taken(
    p_n int, t_request int[], t_item int[], t_slot int[], t_quantity int[], t_fence int[], p_id bigint[], p_mode int[],
    i_location bigint[], s_variant bigint[], s_channel bigint[], p_actor text
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    PERFORM stock_count(array_agg(s_variant[slot]), array_agg(i_location[item]), array_agg(s_channel[slot]), array_agg(0),
        array_agg(CASE WHEN item IS NOT NULL AND is_held THEN quantity ELSE 0 END),
        array_agg(CASE WHEN item IS NOT NULL AND NOT is_held THEN quantity ELSE 0 END), array_agg(-fence),
        array_agg(CASE WHEN item IS NULL THEN quantity ELSE 0 END))
    FROM (SELECT t_slot[e] AS slot, t_item[e] AS item, p_mode[t_request[e]] = 0 AS is_held,
                 sum(t_quantity[e])::int AS quantity, sum(t_fence[e])::int AS fence
          FROM generate_series(1, p_n) e
          WHERE p_id[t_request[e]] IS NOT NULL AND (t_item[e] IS NOT NULL OR p_mode[t_request[e]] <> 2)
          GROUP BY 1, 2, 3) taken HAVING count(*) > 0;

    INSERT INTO stock_movement (at, kind, variant_id, location_id, sales_channel_id, on_hand_delta, reserved_delta,
        allocated_delta, fence_delta, backordered_delta, reservation_id, reference, actor, reason)
    SELECT v_now, CASE WHEN item IS NULL THEN 'backorder' WHEN mode = 0 THEN 'reserve' ELSE 'allocate' END,
           s_variant[slot], i_location[item], s_channel[slot], 0,
           CASE WHEN item IS NOT NULL AND mode = 0 THEN quantity ELSE 0 END,
           CASE WHEN item IS NOT NULL AND mode > 0 THEN quantity ELSE 0 END, -t_fence[e],
           CASE WHEN item IS NULL THEN quantity ELSE 0 END, id, '', p_actor, ''
    FROM (SELECT e, p_id[t_request[e]] AS id, p_mode[t_request[e]] AS mode, t_item[e] AS item, t_slot[e] AS slot,
                 t_quantity[e] AS quantity FROM generate_series(1, p_n) e OFFSET 0) taken
    WHERE id IS NOT NULL AND (item IS NOT NULL OR mode <> 2);

    PERFORM stock_mark_due(ARRAY(SELECT DISTINCT s_variant[t_slot[e]] FROM generate_series(1, p_n) e
                                 WHERE p_id[t_request[e]] IS NOT NULL AND (t_item[e] IS NOT NULL OR p_mode[t_request[e]] <> 2)));
END $$;
