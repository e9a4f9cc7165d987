-- Settles an array of requests for stock in the order in which they stand, in the caller's transaction.
--
-- p_mode: 0 hold with an end time, 1 promise to an order, 2 a sale that already happened and is never refused.
-- p_location: only from this location, while it is active or the sale already happened (null: from the channel's sources
-- by rank, else from every active location).
-- p_line_*: the lines, each with the number of its request; bundles are expanded here.
-- Verdicts: granted, duplicate (same key, same body), key_reused (same key, other body), refused, invalid, again.
--
-- Pools are locked first, in order of variant; later statements read what the lock let in. Counters then live in
-- arrays, and each request is decided in a loop without joins: all its lines or none. Tables are written at the end.
CREATE OR REPLACE FUNCTION stock_reserve(
    p_key text[], p_hash bigint[], p_channel bigint[], p_mode int[], p_hold_seconds int[], p_location bigint[],
    p_line_request int[], p_line_variant bigint[], p_line_quantity int[], p_actor text
) RETURNS TABLE (verdict text[], reservation bigint[], available int[], reason text[]) LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    n_requests int := coalesce(cardinality(p_key), 0);
    v_now timestamptz;
    v_verdict text[];  v_id bigint[];  v_available int[];  v_reason text[];
    -- keys: holds that stand under them already, and the ones among those that have run out
    v_found bigint[];  v_stale bigint[];  has_twins boolean;  is_known boolean := false;
    -- requests: the first one with the same key, the one granted for that key, what is stored under it
    r_first int[];  r_winner int[];  r_known bigint[];  r_known_hash bigint[];
    -- lines, bundles expanded, in order of request; l_line is null where no bundle had to be expanded
    n_lines int;  l_request int[];  l_line int[];  l_variant bigint[];  l_pool int[];  l_quantity bigint[];
    -- pools, in order of variant (v_physical is null: no such variant); i_end and s_end end a pool's items and slots
    v_variant bigint[];  v_on_hand int[];  v_physical int[];  v_safety int[];  v_fenced int[];  v_backordered int[];
    v_backorder_limit int[];  i_end int[];  s_end int[];
    -- items of the pools, by location
    i_variant bigint[];  i_location bigint[];  i_physical int[];  i_safety int[];  i_place int[];
    -- slots: the policies of the pools, by channel
    s_variant bigint[];  s_channel bigint[];  s_uses_pool boolean[];  s_fence int[];  s_cap int[];  s_percent int[];
    s_buffer int[];  s_lends boolean[];  s_borrows boolean[];  s_used int[];  s_backorder boolean[];  s_horizon int[];
    -- channels of the call, and what is wrong with them; k_rank is the rank of each place for each of them, null where the
    -- channel does not sell from it; k_slot is the slot of each in each pool, found when it is first asked for
    n_channels int;  c_channel bigint[];  c_fault text[];  v_places bigint[];  v_is_open boolean[];  n_places int;
    k_rank int[];  k_slot int[];
    -- what is taken, entry by entry (no item: beyond stock), and which fences a sale that already happened cut into
    n int;  n_before int;  f int;  f_before int;
    t_request int[];  t_line int[];  t_position int[];  t_pool int[];  t_item int[];  t_slot int[];  t_quantity int[];
    t_fence int[];  t_lending int[];  f_request int[];  f_pool int[];  f_slot int[];  f_quantity int[];
    v_expired int := -1;  v_again boolean := false;
    r int;  l int;  l_from int;  l_to int;  k int;  pool int;  slot int;  item int;  mode int;  channel_row int;
    rank int;  best int;  best_rank int;  i_from int;  s_from int;  wanted int;  rest int;  piece int;  take int;
    guard int;  free_here int;  at_sources int;  lendable int;  reach int;  extra int;  room int;  fence_rest int;
    lender int;
BEGIN
    -- Which keys stand for something already is looked up one by one (LATERAL, OFFSET 0): planned while the table was
    -- still empty, a plain join would read all of it for ever after. A key that another transaction takes from here on
    -- is noticed when ours is written.
    v_found := ARRAY(
        SELECT hold.id FROM unnest(p_key) asked(key)
        CROSS JOIN LATERAL (SELECT id FROM reservation WHERE reservation.key = asked.key
                            AND state IN ('held', 'confirmed', 'closed') OFFSET 0) hold);
    has_twins := cardinality(ARRAY(SELECT DISTINCT unnest(p_key))) < n_requests;

    n_lines := coalesce(cardinality(p_line_request), 0);
    l_request := p_line_request;
    l_variant := p_line_variant;
    l_quantity := p_line_quantity;
    IF EXISTS (SELECT FROM bundle_components WHERE bundle_id = ANY (p_line_variant)) THEN
        SELECT count(*), array_agg(request), array_agg(line), array_agg(variant), array_agg(quantity)
        INTO n_lines, l_request, l_line, l_variant, l_quantity
        FROM (SELECT asked.request, (asked.n - min(asked.n) OVER (PARTITION BY asked.request))::int AS line,
                     coalesce(part.component_id, asked.variant) AS variant,
                     asked.quantity::bigint * coalesce(part.quantity, 1) AS quantity
              FROM unnest(p_line_request, p_line_variant, p_line_quantity) WITH ORDINALITY asked(request, variant, quantity, n)
              LEFT JOIN bundle_components part ON part.bundle_id = asked.variant
              ORDER BY asked.n, part.component_id) lines;
    END IF;
    v_variant := ARRAY(SELECT DISTINCT unnest(l_variant) ORDER BY 1);
    -- Numbering by rank: to search for each line's variant among all would take the square of their number.
    l_pool := CASE WHEN cardinality(v_variant) = 1 THEN array_fill(1, ARRAY[n_lines]) ELSE ARRAY(
        SELECT pool FROM (SELECT n, dense_rank() OVER (ORDER BY variant)::int AS pool
                          FROM unnest(l_variant) WITH ORDINALITY l(variant, n)) ranked ORDER BY n) END;

    -- Lock every variant asked for, the components of bundles, and those of expired holds that sit on our keys: an
    -- expired hold does not keep its key.
    IF v_found = '{}' THEN
        PERFORM stock_lock(v_variant);
    ELSE
        v_stale := ARRAY(SELECT id FROM reservation
                         WHERE id = ANY (v_found) AND state = 'held' AND expires_at <= clock_timestamp());
        PERFORM stock_lock(v_variant || ARRAY(
            SELECT variant_id FROM reservation_line WHERE reservation_id = ANY (v_stale)));
        PERFORM stock_close('expire', array_agg(reservation_id), array_agg(position), array_agg(NULL::int), 'system',
                            array_agg(''::text), 'the hold ran out')
        FROM reservation_line WHERE reservation_id = ANY (v_stale) HAVING count(*) > 0;
        is_known := true;
        SELECT array_agg(known.id ORDER BY asked.n), array_agg(known.body_hash ORDER BY asked.n)
        INTO r_known, r_known_hash
        FROM unnest(p_key) WITH ORDINALITY asked(key, n)
        LEFT JOIN LATERAL (SELECT id, body_hash FROM reservation WHERE reservation.key = asked.key
                           AND state IN ('held', 'confirmed', 'closed') LIMIT 1) known ON true;
    END IF;
    v_now := clock_timestamp();
    IF has_twins THEN
        r_first := ARRAY(SELECT (min(n) OVER (PARTITION BY key))::int
                         FROM unnest(p_key) WITH ORDINALITY a(key, n) ORDER BY n);
    END IF;

    SELECT array_agg(asked.id ORDER BY asked.id), count(*),
           array_agg(CASE WHEN channel.id IS NULL THEN 'there is no such channel'
                          WHEN channel.status <> 'active' THEN 'the channel is ' || channel.status
                          WHEN channel.is_paused THEN 'the channel is paused' END ORDER BY asked.id)
    INTO c_channel, n_channels, c_fault
    FROM (SELECT DISTINCT unnest(p_channel) AS id) asked LEFT JOIN sales_channels channel ON channel.id = asked.id;

    -- A channel without sources sells from every active location, in order of priority.
    SELECT array_agg(id ORDER BY id), array_agg(is_active ORDER BY id), count(*) INTO v_places, v_is_open, n_places
    FROM stock_locations;
    k_rank := ARRAY(
        SELECT CASE WHEN source.rank IS NOT NULL AND place.is_active THEN source.rank
                    WHEN place.is_active AND NOT EXISTS (SELECT FROM channel_sources own WHERE own.sales_channel_id = channel)
                    THEN place.priority END
        FROM unnest(c_channel) WITH ORDINALITY c(channel, n) CROSS JOIN stock_locations place
        LEFT JOIN channel_sources source ON source.sales_channel_id = channel AND source.location_id = place.id
        ORDER BY c.n, place.id);

    <<settle>>
    LOOP
        -- Counters into arrays.
        SELECT array_agg(on_hand ORDER BY n), array_agg(on_hand - reserved - allocated ORDER BY n),
               array_agg(safety ORDER BY n), array_agg(fenced ORDER BY n),
               array_agg(backordered ORDER BY n), array_agg(backorder_limit ORDER BY n)
        INTO v_on_hand, v_physical, v_safety, v_fenced, v_backordered, v_backorder_limit
        FROM unnest(v_variant) WITH ORDINALITY asked(variant, n)
        LEFT JOIN LATERAL (SELECT * FROM stock_pool WHERE variant_id = asked.variant OFFSET 0) pool ON true;

        SELECT array_agg(variant_id), array_agg(location_id), array_agg(physical), array_agg(safety), array_agg(place)
        INTO i_variant, i_location, i_physical, i_safety, i_place
        FROM (SELECT variant_id, location_id, on_hand - reserved - allocated AS physical, safety,
                     array_position(v_places, location_id) AS place
              FROM stock_item WHERE variant_id = ANY (v_variant) ORDER BY variant_id, location_id) items;

        SELECT array_agg(variant_id), array_agg(sales_channel_id), array_agg(uses_pool), array_agg(fence_left),
               array_agg(cap), array_agg(percent), array_agg(buffer), array_agg(lends), array_agg(borrows),
               array_agg(used), array_agg(allows_backorder), array_agg(incoming_horizon_days)
        INTO s_variant, s_channel, s_uses_pool, s_fence, s_cap, s_percent, s_buffer, s_lends, s_borrows, s_used,
             s_backorder, s_horizon
        FROM (SELECT * FROM channel_inventories WHERE variant_id = ANY (v_variant) ORDER BY variant_id, sales_channel_id)
             policies;

        i_end := '{}';  s_end := '{}';  item := 0;  slot := 0;
        FOR pool IN 1 .. cardinality(v_variant) LOOP
            WHILE i_variant[item + 1] = v_variant[pool] LOOP item := item + 1; END LOOP;
            WHILE s_variant[slot + 1] = v_variant[pool] LOOP slot := slot + 1; END LOOP;
            i_end[pool] := item;
            s_end[pool] := slot;
        END LOOP;

        v_verdict := array_fill('granted'::text, ARRAY[n_requests]);
        v_id := array_fill(NULL::bigint, ARRAY[n_requests]);
        v_available := array_fill(NULL::int, ARRAY[n_requests]);
        v_reason := array_fill(NULL::text, ARRAY[n_requests]);
        k_slot := '{}';  r_winner := '{}';  n := 0;  f := 0;  l_to := 0;
        t_request := '{}';  t_line := '{}';  t_position := '{}';  t_pool := '{}';  t_item := '{}';  t_slot := '{}';
        t_quantity := '{}';  t_fence := '{}';  t_lending := '{}';   f_request := '{}';  f_pool := '{}';  f_slot := '{}';  f_quantity := '{}';

        <<requests>>
        FOR r IN 1 .. n_requests LOOP
            l_from := l_to + 1;
            WHILE l_request[l_to + 1] = r LOOP l_to := l_to + 1; END LOOP;
            IF is_known AND r_known[r] IS NOT NULL THEN
                v_verdict[r] := CASE WHEN r_known_hash[r] = p_hash[r] THEN 'duplicate' ELSE 'key_reused' END;
                v_id[r] := r_known[r];
                CONTINUE requests;
            END IF;
            IF has_twins AND r_winner[r_first[r]] IS NOT NULL THEN
                k := r_winner[r_first[r]];
                v_verdict[r] := CASE WHEN p_hash[k] = p_hash[r] THEN 'duplicate' ELSE 'key_reused' END;
                v_id[r] := v_id[k];
                CONTINUE requests;
            END IF;
            mode := p_mode[r];
            channel_row := array_position(c_channel, p_channel[r]);
            IF c_fault[channel_row] IS NOT NULL AND (mode <> 2 OR c_fault[channel_row] = 'there is no such channel') THEN
                v_verdict[r] := CASE WHEN c_fault[channel_row] LIKE 'the channel%' THEN 'refused' ELSE 'invalid' END;
                v_reason[r] := c_fault[channel_row];
                CONTINUE requests;
            END IF;
            IF l_to < l_from THEN
                v_verdict[r] := 'invalid';
                v_reason[r] := 'the request has no lines';
                CONTINUE requests;
            END IF;
            guard := (mode <> 2)::int;  -- a sale that already happened may take safety stock
            n_before := n;
            f_before := f;

            <<lines>>
            FOR l IN l_from .. l_to LOOP
                pool := l_pool[l];
                IF v_physical[pool] IS NULL OR l_quantity[l] IS NULL OR l_quantity[l] NOT BETWEEN 1 AND 1000000000 THEN
                    v_verdict[r] := 'invalid';
                    v_reason[r] := 'line ' || coalesce(l_line[l], l - l_from)
                        || CASE WHEN v_physical[pool] IS NULL THEN ': there is no such variant'
                                ELSE ': the quantity is not between 1 and 1000000000' END;
                    EXIT lines;
                END IF;
                wanted := l_quantity[l];
                i_from := CASE WHEN pool = 1 THEN 1 ELSE i_end[pool - 1] + 1 END;
                s_from := CASE WHEN pool = 1 THEN 1 ELSE s_end[pool - 1] + 1 END;
                slot := k_slot[(pool - 1) * n_channels + channel_row];
                IF slot IS NULL THEN
                    slot := s_from;
                    WHILE slot <= s_end[pool] AND s_channel[slot] <> p_channel[r] LOOP slot := slot + 1; END LOOP;
                    IF slot > s_end[pool] THEN
                        -- A policy that is missing is opened with defaults, which allow what the pool allows.
                        INSERT INTO channel_inventories (variant_id, sales_channel_id)
                        SELECT DISTINCT v_variant[want.pool], p_channel[want.request]
                        FROM unnest(l_pool, l_request) want(pool, request)
                        WHERE v_physical[want.pool] IS NOT NULL
                          AND EXISTS (SELECT FROM sales_channels WHERE id = p_channel[want.request])
                        ORDER BY 1, 2 ON CONFLICT DO NOTHING;
                        CONTINUE settle;
                    END IF;
                    k_slot[(pool - 1) * n_channels + channel_row] := slot;
                END IF;

                -- What lies where this channel may take it from, and the best place that has it all.
                at_sources := 0;
                best := NULL;
                FOR item IN i_from .. i_end[pool] LOOP
                    rank := CASE WHEN p_location[r] IS NULL THEN k_rank[(channel_row - 1) * n_places + i_place[item]]
                                 WHEN p_location[r] = i_location[item]
                                     AND (mode = 2 OR v_is_open[i_place[item]]) THEN 0 END;
                    free_here := i_physical[item] - guard * i_safety[item];
                    IF rank IS NOT NULL AND free_here > 0 THEN
                        at_sources := at_sources + free_here;
                        IF free_here >= wanted AND (best IS NULL OR rank < best_rank) THEN
                            best := item;
                            best_rank := rank;
                        END IF;
                    END IF;
                END LOOP;

                lendable := 0;
                IF mode = 2 THEN
                    reach := least(at_sources, v_physical[pool]);
                    room := reach;
                ELSE
                    IF s_borrows[slot] THEN
                        FOR k IN s_from .. s_end[pool] LOOP
                            IF s_lends[k] AND k <> slot THEN
                                lendable := lendable + s_fence[k];
                            END IF;
                        END LOOP;
                    END IF;
                    reach := greatest(0, least(at_sources,
                        v_physical[pool] - v_safety[pool] - s_buffer[slot] - (v_fenced[pool] - s_fence[slot] - lendable),
                        CASE WHEN NOT s_uses_pool[slot] THEN s_fence[slot] + lendable END));
                    room := least(s_cap[slot], (s_percent[slot]::bigint * v_on_hand[pool] / 100)::int) - s_used[slot];
                END IF;
                IF wanted > least(reach, room) THEN
                    extra := 0;
                    IF mode <> 2 AND wanted > reach AND (s_backorder[slot] OR s_horizon[slot] > 0) THEN
                        extra := greatest(0, stock_beyond(v_variant[pool], s_backorder[slot], s_horizon[slot],
                            v_backorder_limit[pool], v_now) - v_backordered[pool]);
                    END IF;
                    rest := wanted - least(reach + extra, room);
                    -- Nothing is refused, or put on backorder, for want of expired stock.
                    IF v_expired < 0 OR (mode = 2 AND v_expired >= 500) THEN
                        v_expired := stock_expire(v_variant, 500);
                        v_again := v_expired >= 500;
                        CONTINUE settle WHEN v_expired > 0;
                    END IF;
                    IF mode <> 2 AND (rest > 0 OR v_again) THEN
                        v_verdict[r] := CASE WHEN v_again THEN 'again' ELSE 'refused' END;
                        v_available[r] := greatest(0, least(reach + extra, room));
                        v_reason[r] := 'line ' || coalesce(l_line[l], l - l_from) || ': ' || wanted || ' wanted, '
                            || v_available[r] || ' available';
                        EXIT lines;
                    END IF;
                END IF;

                -- Take: own fence, then the pool, then lenders in order of channel.
                fence_rest := least(wanted, reach, s_fence[slot]);
                piece := least(wanted, reach);
                rest := 0;
                IF lendable > 0 THEN
                    take := fence_rest;
                    IF s_uses_pool[slot] THEN
                        take := take + greatest(0, least(piece - take,
                            v_physical[pool] - v_safety[pool] - v_fenced[pool] - s_buffer[slot]));
                    END IF;
                    rest := piece - take;
                    piece := take;
                END IF;
                v_physical[pool] := v_physical[pool] - piece;
                s_used[slot] := s_used[slot] + piece;
                IF fence_rest > 0 THEN
                    v_fenced[pool] := v_fenced[pool] - fence_rest;
                    s_fence[slot] := s_fence[slot] - fence_rest;
                END IF;
                lender := NULL;
                LOOP
                    WHILE piece > 0 LOOP
                        IF best IS NULL OR i_physical[best] - guard * i_safety[best] < piece THEN
                            best := NULL;
                            take := 0;
                            FOR item IN i_from .. i_end[pool] LOOP
                                rank := CASE WHEN p_location[r] IS NULL THEN k_rank[(channel_row - 1) * n_places + i_place[item]]
                                             WHEN p_location[r] = i_location[item]
                                                 AND (mode = 2 OR v_is_open[i_place[item]]) THEN 0 END;
                                free_here := least(piece, i_physical[item] - guard * i_safety[item]);
                                IF rank IS NOT NULL AND free_here > 0 AND (best IS NULL OR rank < best_rank
                                    OR (free_here = piece AND take < piece)) AND NOT (take = piece AND free_here < piece) THEN
                                    best := item;
                                    best_rank := rank;
                                    take := free_here;
                                END IF;
                            END LOOP;
                        ELSE
                            take := piece;
                        END IF;
                        n := n + 1;
                        t_request[n] := r;
                        t_line[n] := coalesce(l_line[l], l - l_from);
                        t_position[n] := n - n_before - 1;
                        t_pool[n] := pool;
                        t_item[n] := best;
                        t_slot[n] := slot;
                        t_quantity[n] := take;
                        t_fence[n] := least(take, fence_rest);
                        IF lender IS NOT NULL THEN
                            t_lending[n] := lender;
                        END IF;
                        fence_rest := fence_rest - t_fence[n];
                        i_physical[best] := i_physical[best] - take;
                        piece := piece - take;
                    END LOOP;
                    EXIT WHEN rest <= 0;
                    lender := CASE WHEN lender IS NULL THEN s_from ELSE lender + 1 END;
                    IF s_lends[lender] AND lender <> slot AND s_fence[lender] > 0 THEN
                        piece := least(rest, s_fence[lender]);
                        rest := rest - piece;
                        v_physical[pool] := v_physical[pool] - piece;
                        v_fenced[pool] := v_fenced[pool] - piece;
                        s_fence[lender] := s_fence[lender] - piece;
                        s_used[slot] := s_used[slot] + piece;
                    END IF;
                END LOOP;

                IF wanted > reach THEN  -- promised beyond stock, or sold without being there
                    n := n + 1;
                    t_request[n] := r;
                    t_line[n] := coalesce(l_line[l], l - l_from);
                    t_position[n] := n - n_before - 1;
                    t_pool[n] := pool;
                    t_item[n] := NULL;
                    t_slot[n] := slot;
                    t_quantity[n] := wanted - reach;
                    t_fence[n] := 0;
                    IF mode <> 2 THEN
                        v_backordered[pool] := v_backordered[pool] + t_quantity[n];
                    END IF;
                END IF;
                -- A sale that already happened may cut into the fences of others; the last channel gives first.
                IF mode = 2 THEN
                    k := s_end[pool];
                    WHILE v_fenced[pool] > v_physical[pool] LOOP
                        take := least(s_fence[k], v_fenced[pool] - v_physical[pool]);
                        IF take > 0 THEN
                            f := f + 1;
                            f_request[f] := r;
                            f_pool[f] := pool;
                            f_slot[f] := k;
                            f_quantity[f] := take;
                            s_fence[k] := s_fence[k] - take;
                            v_fenced[pool] := v_fenced[pool] - take;
                        END IF;
                        k := k - 1;
                    END LOOP;
                END IF;
            END LOOP lines;

            IF v_verdict[r] = 'granted' THEN
                v_id[r] := nextval('reservation_id_seq');
                IF has_twins THEN
                    r_winner[r_first[r]] := r;
                END IF;
                CONTINUE requests;
            END IF;
            WHILE n > n_before LOOP  -- all lines or none
                pool := t_pool[n];
                IF t_item[n] IS NOT NULL THEN
                    i_physical[t_item[n]] := i_physical[t_item[n]] + t_quantity[n];
                    v_physical[pool] := v_physical[pool] + t_quantity[n];
                    s_used[t_slot[n]] := s_used[t_slot[n]] - t_quantity[n];
                    k := coalesce(t_lending[n], t_slot[n]);
                    take := CASE WHEN t_lending[n] IS NULL THEN t_fence[n] ELSE t_quantity[n] END;
                    s_fence[k] := s_fence[k] + take;
                    v_fenced[pool] := v_fenced[pool] + take;
                    t_lending[n] := NULL;
                ELSIF mode <> 2 THEN
                    v_backordered[pool] := v_backordered[pool] - t_quantity[n];
                END IF;
                n := n - 1;
            END LOOP;
            WHILE f > f_before LOOP
                s_fence[f_slot[f]] := s_fence[f_slot[f]] + f_quantity[f];
                v_fenced[f_pool[f]] := v_fenced[f_pool[f]] + f_quantity[f];
                f := f - 1;
            END LOOP;
        END LOOP requests;
        EXIT settle;
    END LOOP settle;
    IF l_to < n_lines THEN
        RAISE EXCEPTION 'stock_reserve: line % stands out of the order of the requests', l_to + 1;
    END IF;

    IF n > 0 THEN  -- whatever was granted took something
        IF NOT stock_write_reservations(
            v_id, v_verdict, p_key, p_hash, p_channel, p_mode, p_hold_seconds, p_location, v_now
        ) THEN
            -- Another transaction took a key meanwhile: that request, and whoever it may have crowded out, comes again.
            FOR r IN 1 .. n_requests LOOP
                IF v_verdict[r] IN ('refused', 'duplicate', 'key_reused') AND (NOT is_known OR r_known[r] IS NULL)
                   OR v_verdict[r] = 'granted' AND NOT EXISTS (SELECT FROM reservation WHERE id = v_id[r]) THEN
                    v_verdict[r] := 'again';
                    v_id[r] := NULL;
                END IF;
            END LOOP;
        END IF;
        PERFORM stock_write_holds(n, t_request, t_line, t_position, t_item, t_slot, t_quantity, t_fence, t_lending,
            v_id, p_mode, p_hold_seconds, p_location, i_location, s_variant, s_channel, v_now, p_actor);
        IF f > 0 THEN
            PERFORM stock_post(array_agg('fence'::text), array_agg(s_variant[slot]), array_agg(NULL::bigint),
                array_agg(s_channel[slot]), array_agg(0), array_agg(0), array_agg(0), array_agg(-quantity), array_agg(0),
                array_agg(v_id[request]), array_agg(''::text), p_actor, array_agg('cut by a sale that already happened'::text))
            FROM unnest(f_request[1:f], f_slot[1:f], f_quantity[1:f]) cut(request, slot, quantity)
            WHERE v_id[request] IS NOT NULL HAVING count(*) > 0;
        END IF;
    END IF;
    RETURN QUERY SELECT v_verdict, v_id, v_available, v_reason;
END $$;

-- Units that may be promised beyond what lies here: the backorder limit, and what is expected within the horizon.
CREATE OR REPLACE FUNCTION stock_beyond(
    p_variant bigint, p_backorder boolean, p_horizon_days int, p_limit int, p_now timestamptz
) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT (CASE WHEN p_backorder THEN p_limit ELSE 0 END + CASE WHEN p_horizon_days > 0 THEN coalesce((
        SELECT sum(quantity - received_quantity) FROM expected_receipts
        WHERE variant_id = p_variant AND state = 'expected'
          AND expected_at <= p_now + make_interval(days => p_horizon_days)), 0) ELSE 0 END)::int
$$;
