-- What stock_reserve writes once all its requests are decided.

-- Writes the reservations that were granted; false when another transaction took one of their keys meanwhile, whose
-- reservation is then left out. The order of keys keeps those who write the same keys from waiting for each other.
CREATE OR REPLACE FUNCTION stock_write_reservations(
    p_id bigint[], p_verdict text[], p_key text[], p_hash bigint[], p_channel bigint[], p_mode int[],
    p_hold_seconds int[], p_location bigint[], p_now timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reservation (id, key, body_hash, sales_channel_id, location_id, state, expires_at, created_at)
    SELECT p_id[r], p_key[r], p_hash[r], p_channel[r], p_location[r],
           CASE WHEN p_mode[r] = 0 THEN 'held' ELSE 'confirmed' END,
           CASE WHEN p_mode[r] = 0 THEN p_now + make_interval(secs => p_hold_seconds[r]) END, p_now
    FROM generate_series(1, cardinality(p_id)) r WHERE p_verdict[r] = 'granted' ORDER BY p_key[r];
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    -- Row by row past what is taken. To look first, every time, would cost half as much again as to write.
    INSERT INTO reservation (id, key, body_hash, sales_channel_id, location_id, state, expires_at, created_at)
    SELECT p_id[r], p_key[r], p_hash[r], p_channel[r], p_location[r],
           CASE WHEN p_mode[r] = 0 THEN 'held' ELSE 'confirmed' END,
           CASE WHEN p_mode[r] = 0 THEN p_now + make_interval(secs => p_hold_seconds[r]) END, p_now
    FROM generate_series(1, cardinality(p_id)) r WHERE p_verdict[r] = 'granted' ORDER BY p_key[r]
    ON CONFLICT (key) WHERE state IN ('held', 'confirmed', 'closed') DO NOTHING;
    RETURN false;
END $$;

-- Writes the lines of granted requests, posts their movements, and raises an alert for what was sold short. The arrays
-- are those of stock_reserve: of the entries the first p_n count, if their request has a number.
CREATE OR REPLACE FUNCTION stock_write_holds(
    p_n int, t_request int[], t_line int[], t_position int[], t_item int[], t_slot int[], t_quantity int[], t_fence int[],
    t_lending int[], p_id bigint[], p_mode int[], p_hold_seconds int[], p_location bigint[], i_location bigint[],
    s_variant bigint[], s_channel bigint[], p_now timestamptz, p_actor text
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO reservation_line (reservation_id, position, line, variant_id, location_id, sales_channel_id, promised,
        quantity, from_fence, lender_id, short, is_backorder, state, expires_at)
    SELECT id, t_position[e], t_line[e], s_variant[slot],
           CASE WHEN item IS NOT NULL THEN i_location[item] WHEN mode = 2 THEN p_location[request] END,
           s_channel[slot], quantity - short, quantity - short, t_fence[e], s_channel[t_lending[e]], short,
           item IS NULL AND mode <> 2, CASE WHEN mode = 0 THEN 'held' ELSE 'confirmed' END,
           CASE WHEN mode = 0 THEN p_now + make_interval(secs => p_hold_seconds[request]) END
    FROM (SELECT e, t_request[e] AS request, p_id[t_request[e]] AS id, p_mode[t_request[e]] AS mode, t_item[e] AS item,
                 t_slot[e] AS slot, t_quantity[e] AS quantity,
                 CASE WHEN t_item[e] IS NULL AND p_mode[t_request[e]] = 2 THEN t_quantity[e] ELSE 0 END AS short
          FROM generate_series(1, p_n) e OFFSET 0) taken
    WHERE id IS NOT NULL;

    PERFORM stock_post_taken(p_n, t_request, t_item, t_slot, t_quantity, t_fence, p_id, p_mode, i_location, s_variant,
                             s_channel, p_actor);
    IF t_lending <> '{}' THEN
        PERFORM stock_post(array_agg('fence'::text), array_agg(s_variant[t_lending[e]]), array_agg(NULL::bigint),
            array_agg(s_channel[t_lending[e]]), array_agg(0), array_agg(0), array_agg(0), array_agg(-t_quantity[e]),
            array_agg(0), array_agg(p_id[t_request[e]]), array_agg(''::text), p_actor, array_agg('lent'::text))
        FROM generate_series(1, p_n) e
        WHERE t_lending[e] IS NOT NULL AND p_id[t_request[e]] IS NOT NULL HAVING count(*) > 0;
    END IF;

    IF 2 = ANY (p_mode) THEN
        INSERT INTO stock_alerts AS alert (variant_id, sales_channel_id, level, quantity, threshold, opened_at)
        SELECT s_variant[t_slot[e]], s_channel[t_slot[e]], 'short', sum(t_quantity[e]), 0, p_now
        FROM generate_series(1, p_n) e
        WHERE t_item[e] IS NULL AND p_mode[t_request[e]] = 2 AND p_id[t_request[e]] IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
            SET quantity = CASE WHEN alert.level = 'short' THEN alert.quantity ELSE 0 END + excluded.quantity,
                level = 'short', snoozed_until = NULL;
    END IF;
END $$;
