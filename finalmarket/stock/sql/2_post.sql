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
    FROM channel_products listing
    WHERE listing.variant_id = ANY (
        p_variants || ARRAY(SELECT bundle_id FROM bundle_components WHERE component_id = ANY (p_variants)))
    ORDER BY listing.id
    ON CONFLICT (listing_id, what) DO UPDATE SET version = due.version + 1, due_since = statement_timestamp()
        WHERE due.version <= greatest(due.settled_version, due.claimed_version)
$$;

-- Applies movements to items, pools and policies and writes them to the ledger. The caller has locked the pools.
-- The arrays run in parallel, one entry a movement; p_location is null for what lies nowhere (fences, backorders).
CREATE OR REPLACE FUNCTION stock_post(
    p_kind text[], p_variant bigint[], p_location bigint[], p_channel bigint[], p_on_hand int[], p_reserved int[],
    p_allocated int[], p_fence int[], p_backordered int[], p_reservation bigint[], p_reference text[], p_actor text,
    p_reason text[]
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_places int;
    v_found int;
BEGIN
    WITH moved AS (
        SELECT variant, location, sum(on_hand)::int on_hand, sum(reserved)::int reserved, sum(allocated)::int allocated
        FROM unnest(p_variant, p_location, p_on_hand, p_reserved, p_allocated) m(variant, location, on_hand, reserved, allocated)
        WHERE location IS NOT NULL GROUP BY variant, location
    ), changed AS (
        UPDATE stock_item item SET on_hand = item.on_hand + moved.on_hand, reserved = item.reserved + moved.reserved,
                                   allocated = item.allocated + moved.allocated
        FROM moved WHERE item.variant_id = moved.variant AND item.location_id = moved.location
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM changed) INTO v_places, v_found;
    IF v_found < v_places THEN
        INSERT INTO stock_item (variant_id, location_id, on_hand, reserved, allocated)
        SELECT variant, location, sum(on_hand), sum(reserved), sum(allocated)
        FROM unnest(p_variant, p_location, p_on_hand, p_reserved, p_allocated) m(variant, location, on_hand, reserved, allocated)
        WHERE location IS NOT NULL AND NOT EXISTS (
            SELECT FROM stock_item item WHERE item.variant_id = m.variant AND item.location_id = m.location)
        GROUP BY variant, location ORDER BY variant, location;
    END IF;

    UPDATE stock_pool pool SET on_hand = pool.on_hand + moved.on_hand, reserved = pool.reserved + moved.reserved,
                               allocated = pool.allocated + moved.allocated, fenced = pool.fenced + moved.fence,
                               backordered = pool.backordered + moved.backordered, alerts_due = true
    FROM (SELECT variant, sum(on_hand)::int on_hand, sum(reserved)::int reserved, sum(allocated)::int allocated,
                 sum(fence)::int fence, sum(backordered)::int backordered
          FROM unnest(p_variant, p_on_hand, p_reserved, p_allocated, p_fence, p_backordered)
               m(variant, on_hand, reserved, allocated, fence, backordered) GROUP BY variant) moved
    WHERE pool.variant_id = moved.variant;

    UPDATE channel_inventories policy SET used = policy.used + moved.used, fence_left = policy.fence_left + moved.fence
    FROM (SELECT variant, channel, sum(reserved + allocated)::int used, sum(fence)::int fence
          FROM unnest(p_variant, p_channel, p_reserved, p_allocated, p_fence) m(variant, channel, reserved, allocated, fence)
          WHERE channel IS NOT NULL GROUP BY variant, channel
          HAVING sum(reserved + allocated) <> 0 OR sum(fence) <> 0) moved
    WHERE policy.variant_id = moved.variant AND policy.sales_channel_id = moved.channel;

    INSERT INTO stock_movement (at, kind, variant_id, location_id, sales_channel_id, on_hand_delta, reserved_delta,
        allocated_delta, fence_delta, backordered_delta, reservation_id, reference, actor, reason)
    SELECT v_now, kind, variant, location, channel, on_hand, reserved, allocated, fence, backordered, reservation,
           coalesce(reference, ''), p_actor, coalesce(reason, '')
    FROM unnest(p_kind, p_variant, p_location, p_channel, p_on_hand, p_reserved, p_allocated, p_fence, p_backordered,
                p_reservation, p_reference, p_reason)
         m(kind, variant, location, channel, on_hand, reserved, allocated, fence, backordered, reservation, reference, reason);

    PERFORM stock_mark_due(ARRAY(SELECT DISTINCT unnest(p_variant)));
END $$;
