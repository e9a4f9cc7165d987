-- What more or less stock than before does to promises. The callers hold the locks of the pools.

-- Fences never promise what is not there: where they exceed what is free, the last channel gives first.
CREATE OR REPLACE FUNCTION stock_trim_fences(p_variants bigint[], p_actor text, p_reason text) RETURNS void
LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
    SELECT stock_post(array_agg('fence'::text), array_agg(variant_id), array_agg(NULL::bigint),
        array_agg(sales_channel_id), array_agg(0), array_agg(0), array_agg(0), array_agg(-cut), array_agg(0),
        array_agg(NULL::bigint), array_agg(''::text), p_actor, array_agg(p_reason))
    FROM (
        SELECT policy.variant_id, policy.sales_channel_id,
               least(policy.fence_left, pool.fenced - (pool.on_hand - pool.reserved - pool.allocated)
                     - coalesce(sum(policy.fence_left) OVER (PARTITION BY policy.variant_id
                         ORDER BY policy.sales_channel_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::int cut
        FROM stock_pool pool JOIN channel_inventories policy ON policy.variant_id = pool.variant_id
        WHERE pool.variant_id = ANY (p_variants) AND policy.variant_id = ANY (p_variants) AND pool.fenced > pool.on_hand - pool.reserved - pool.allocated
          AND policy.fence_left > 0
    ) cuts WHERE cut > 0 HAVING count(*) > 0
$$;

-- Makes p_units at one place free of promises that can no longer be kept: the hold that expires last gives first, then
-- the youngest promise. What they lose becomes `short` on their lines. Returns the units found.
CREATE OR REPLACE FUNCTION stock_make_room(
    p_variant bigint, p_location bigint, p_units int, p_actor text, p_reason text
) RETURNS int LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_reservation bigint[];  v_position int[];  v_cut int[];
BEGIN
    SELECT array_agg(reservation_id), array_agg(position), array_agg(cut) INTO v_reservation, v_position, v_cut
    FROM (SELECT reservation_id, position, least(quantity, p_units - coalesce(sum(quantity) OVER (
                     ORDER BY state = 'held' DESC, expires_at DESC NULLS LAST, reservation_id DESC, position DESC
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::int AS cut
          FROM (SELECT * FROM reservation_line WHERE variant_id = p_variant AND state = 'held' AND quantity > 0
                UNION ALL
                SELECT * FROM reservation_line WHERE variant_id = p_variant AND state = 'confirmed' AND quantity > 0) line
          WHERE location_id = p_location AND NOT is_backorder) open_lines
    WHERE cut > 0;
    IF v_reservation IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM stock_post(array_agg('short'::text), array_agg(line.variant_id), array_agg(line.location_id),
        array_agg(line.sales_channel_id), array_agg(0),
        array_agg(CASE WHEN line.state = 'held' THEN -cut ELSE 0 END),
        array_agg(CASE WHEN line.state = 'confirmed' THEN -cut ELSE 0 END), array_agg(0), array_agg(0),
        array_agg(line.reservation_id), array_agg(''::text), p_actor, array_agg(p_reason))
    FROM unnest(v_reservation, v_position, v_cut) c(reservation, pos, cut)
    JOIN reservation_line line ON line.reservation_id = c.reservation AND line.position = c.pos;
    UPDATE reservation_line line
    SET quantity = line.quantity - cut, promised = line.promised - cut, short = line.short + cut, from_fence = least(line.from_fence, line.quantity - cut)
    FROM unnest(v_reservation, v_position, v_cut) c(reservation, pos, cut)
    WHERE line.reservation_id = c.reservation AND line.position = c.pos;
    INSERT INTO stock_alerts AS alert (variant_id, location_id, level, quantity, threshold, opened_at)
    VALUES (p_variant, p_location, 'short', (SELECT sum(cut) FROM unnest(v_cut) cut), 0, clock_timestamp())
    ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
        SET quantity = CASE WHEN alert.level = 'short' THEN alert.quantity ELSE 0 END + excluded.quantity,
            level = 'short', snoozed_until = NULL;
    RETURN (SELECT sum(cut) FROM unnest(v_cut) cut);
END $$;

-- Goods that arrived, or came free, meet what fell short and what was promised beyond stock, the oldest promise first;
-- returns the units met. They are met where their channel sells from, as `stock_reserve` takes them, and where they were
-- missed. What was sold already may take safety stock and cut into ring fences; a backorder takes the own fence of its
-- channel and what is neither fenced nor safety stock.
CREATE OR REPLACE FUNCTION stock_backfill(p_variants bigint[], p_actor text) RETURNS int LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    line record;  place record;  v_open int;  v_take int;  v_fence int;  v_met int := 0;
BEGIN
    FOR line IN
        SELECT * FROM (  -- two arms, each with an index of its own
            SELECT * FROM reservation_line WHERE variant_id = ANY (p_variants) AND is_backorder AND quantity > 0
            UNION ALL
            SELECT * FROM reservation_line WHERE variant_id = ANY (p_variants) AND short > 0 AND NOT is_backorder
        ) l
        WHERE l.state IN ('held', 'confirmed') AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp())
        ORDER BY l.reservation_id, l.position
    LOOP
        SELECT CASE WHEN line.is_backorder THEN policy.fence_left ELSE 0 END,
               CASE WHEN NOT line.is_backorder THEN least(line.short, pool.on_hand - pool.reserved - pool.allocated)
                    ELSE least(line.quantity, policy.fence_left + CASE WHEN policy.uses_pool THEN greatest(0,
                        pool.on_hand - pool.reserved - pool.allocated - pool.safety - pool.fenced) ELSE 0 END) END
        INTO v_fence, v_open
        FROM stock_pool pool JOIN channel_inventories policy
          ON policy.variant_id = pool.variant_id AND policy.sales_channel_id = line.sales_channel_id
        WHERE pool.variant_id = line.variant_id;
        CONTINUE WHEN coalesce(v_open, 0) = 0;
        FOR place IN
            SELECT item.location_id,
                   item.on_hand - item.reserved - item.allocated - line.is_backorder::int * item.safety AS free
            FROM stock_item item JOIN stock_locations location ON location.id = item.location_id
            LEFT JOIN channel_sources source
              ON source.location_id = item.location_id AND source.sales_channel_id = line.sales_channel_id
            WHERE item.variant_id = line.variant_id AND location.is_active
              AND (source.id IS NOT NULL OR item.location_id = line.location_id OR NOT EXISTS (
                  SELECT FROM channel_sources own WHERE own.sales_channel_id = line.sales_channel_id))
              AND item.on_hand - item.reserved - item.allocated - line.is_backorder::int * item.safety > 0
            ORDER BY (item.location_id = line.location_id) DESC NULLS LAST, coalesce(source.rank, location.priority),
                     location.id
        LOOP
            EXIT WHEN v_open = 0;
            v_take := least(v_open, place.free);
            INSERT INTO reservation_line (reservation_id, position, line, variant_id, location_id, sales_channel_id,
                promised, quantity, from_fence, short, is_backorder, state, expires_at)
            SELECT line.reservation_id, max(position) + 1, line.line, line.variant_id, place.location_id,
                   line.sales_channel_id, v_take, v_take, least(v_take, v_fence), 0, false, line.state, line.expires_at
            FROM reservation_line WHERE reservation_id = line.reservation_id;
            UPDATE reservation_line SET
                quantity = quantity - CASE WHEN is_backorder THEN v_take ELSE 0 END,
                promised = promised - CASE WHEN is_backorder THEN v_take ELSE 0 END,
                short = short - CASE WHEN is_backorder THEN 0 ELSE v_take END
            WHERE reservation_id = line.reservation_id AND position = line.position;
            PERFORM stock_post(ARRAY['backfill'], ARRAY[line.variant_id], ARRAY[place.location_id],
                ARRAY[line.sales_channel_id], ARRAY[0], ARRAY[CASE WHEN line.state = 'held' THEN v_take ELSE 0 END],
                ARRAY[CASE WHEN line.state = 'confirmed' THEN v_take ELSE 0 END], ARRAY[-least(v_take, v_fence)],
                ARRAY[CASE WHEN line.is_backorder THEN -v_take ELSE 0 END], ARRAY[line.reservation_id], ARRAY[''],
                p_actor, ARRAY['goods arrived']);
            v_fence := v_fence - least(v_take, v_fence);
            v_open := v_open - v_take;
            v_met := v_met + v_take;
        END LOOP;
    END LOOP;
    IF v_met > 0 THEN
        PERFORM stock_trim_fences(p_variants, p_actor, 'promises made before come first');
    END IF;
    RETURN v_met;
END $$;

-- Moves promised units of one line to another location, as far as they are free there; returns the units moved.
CREATE OR REPLACE FUNCTION stock_move_promise(
    p_reservation bigint, p_position smallint, p_location bigint, p_units int, p_actor text, p_reason text
) RETURNS int LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    line reservation_line;  v_units int;  v_fence int;
BEGIN
    PERFORM stock_lock(ARRAY(SELECT variant_id FROM reservation_line
                             WHERE reservation_id = p_reservation AND position = p_position));
    PERFORM stock_expire(ARRAY[(SELECT variant_id FROM reservation_line
                                WHERE reservation_id = p_reservation AND position = p_position)], 500);
    SELECT * INTO line FROM reservation_line WHERE reservation_id = p_reservation AND position = p_position;
    IF line.location_id IS NULL OR line.location_id = p_location OR line.state NOT IN ('held', 'confirmed') THEN
        RETURN 0;
    END IF;
    v_units := least(p_units, line.quantity, coalesce((
        SELECT on_hand - reserved - allocated FROM stock_item
        WHERE variant_id = line.variant_id AND location_id = p_location), 0));
    IF v_units <= 0 THEN
        RETURN 0;
    END IF;
    v_fence := greatest(0, line.from_fence - (line.quantity - v_units));
    UPDATE reservation_line SET quantity = quantity - v_units, promised = promised - v_units,
        from_fence = from_fence - v_fence
    WHERE reservation_id = p_reservation AND position = p_position;
    INSERT INTO reservation_line (reservation_id, position, line, variant_id, location_id, sales_channel_id, promised,
        quantity, from_fence, lender_id, short, is_backorder, state, expires_at)
    SELECT p_reservation, max(position) + 1, line.line, line.variant_id, p_location, line.sales_channel_id, v_units,
           v_units, v_fence, line.lender_id, 0, false, line.state, line.expires_at
    FROM reservation_line WHERE reservation_id = p_reservation;
    PERFORM stock_post(ARRAY['deallocate', 'allocate'], ARRAY[line.variant_id, line.variant_id],
        ARRAY[line.location_id, p_location], ARRAY[line.sales_channel_id, line.sales_channel_id], ARRAY[0, 0],
        CASE WHEN line.state = 'held' THEN ARRAY[-v_units, v_units] ELSE ARRAY[0, 0] END,
        CASE WHEN line.state = 'confirmed' THEN ARRAY[-v_units, v_units] ELSE ARRAY[0, 0] END,
        ARRAY[0, 0], ARRAY[0, 0], ARRAY[p_reservation, p_reservation], ARRAY['', ''], p_actor, ARRAY[p_reason, p_reason]);
    RETURN v_units;
END $$;
