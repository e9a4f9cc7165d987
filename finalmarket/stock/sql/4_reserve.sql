-- Settles an array of requests for stock in the order in which they stand, in the caller's transaction.
--
-- p_mode: 0 hold with an end time, 1 promise to an order, 2 a sale that already happened and is never refused.
-- p_location: only from this location (null: from the channel's sources by rank, else from every active location).
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
    v_verdict text[] := array_fill(NULL::text, ARRAY[n_requests]);
    v_id bigint[] := array_fill(NULL::bigint, ARRAY[n_requests]);
    v_available int[] := array_fill(NULL::int, ARRAY[n_requests]);
    v_reason text[] := array_fill(NULL::text, ARRAY[n_requests]);
    -- requests: the first one with the same key, the one granted for that key, what is stored under it, what is wrong
    r_first int[];  r_winner int[];  r_known bigint[];  r_known_hash bigint[];  r_fault text[];  r_channel int[];
    -- lines, bundles expanded, in order of request; l_end[r] is the last line of request r
    l_request int[];  l_line int[];  l_pool int[];  l_quantity bigint[];  l_end int[];
    -- pools, in order of variant; i_end and s_end are the ends of a pool's items and slots
    v_variant bigint[];  v_on_hand int[];  v_physical int[];  v_safety int[];  v_fenced int[];  v_backordered int[];
    v_backorder_limit int[];  i_end int[];  s_end int[];
    -- items of the pools, by location
    i_variant bigint[];  i_location bigint[];  i_physical int[];  i_safety int[];  i_place int[];
    -- slots: the policies of the pools, by channel
    s_variant bigint[];  s_channel bigint[];  s_uses_pool boolean[];  s_fence int[];  s_cap int[];  s_percent int[];
    s_buffer int[];  s_lends boolean[];  s_borrows boolean[];  s_used int[];  s_backorder boolean[];  s_horizon int[];
    -- the rank of each place for each channel of the call; null where the channel does not sell from it
    c_channel bigint[];  v_places bigint[];  k_rank int[];  n_places int;
    -- what is taken, entry by entry, and which fences a sale that already happened cut into
    n int;  n_before int;  f int;  f_before int;
    t_request int[];  t_line int[];  t_position int[];  t_variant bigint[];  t_location bigint[];  t_quantity int[];
    t_fence int[];  t_lender bigint[];  t_short int[];  t_backorder boolean[];  t_item int[];  t_slot int[];
    t_lending int[];  f_request int[];  f_slot int[];  f_quantity int[];
    v_expired int := -1;  v_again boolean := false;  v_position int;
    r int;  l int;  k int;  pool int;  slot int;  item int;  mode int;  channel_row int;  rank int;  best int;
    best_rank int;  i_from int;  s_from int;  wanted int;  rest int;  piece int;  take int;  guard int;
    free_here int;  at_sources int;  lendable int;  reach int;  extra int;  room int;  fence_rest int;  lender int;
    n_granted int;  v_lost bigint[];  v_stale bigint[];
BEGIN
    IF n_requests = 0 THEN
        RETURN QUERY SELECT v_verdict, v_id, v_available, v_reason;
        RETURN;
    END IF;

    -- An expired hold does not keep its key. Keys are looked up one by one (LATERAL, OFFSET 0): planned while the table
    -- was still empty, a plain join would read all of it for ever after.
    v_stale := ARRAY(
        SELECT hold.id FROM unnest(p_key) asked(key)
        CROSS JOIN LATERAL (SELECT id FROM reservation WHERE reservation.key = asked.key AND state = 'held'
                            AND expires_at <= clock_timestamp() OFFSET 0) hold);
    -- Lock every variant asked for, the components of bundles, and those of expired holds that sit on our keys.
    PERFORM stock_lock(ARRAY(
        SELECT unnest(p_line_variant)
        UNION SELECT component_id FROM bundle_components WHERE bundle_id = ANY (p_line_variant)
        UNION SELECT variant_id FROM reservation_line WHERE reservation_id = ANY (v_stale)));
    v_now := clock_timestamp();
    IF v_stale <> '{}' THEN
        PERFORM stock_close('expire', array_agg(reservation_id), array_agg(position), array_agg(NULL::int), 'system',
                            array_agg(''::text), 'the hold ran out')
        FROM reservation_line WHERE reservation_id = ANY (v_stale) HAVING count(*) > 0;
    END IF;

    c_channel := ARRAY(SELECT DISTINCT unnest(p_channel) ORDER BY 1);
    SELECT array_agg(asked.first_of ORDER BY asked.n), array_agg(known.id ORDER BY asked.n),
           array_agg(known.body_hash ORDER BY asked.n), array_agg(array_position(c_channel, asked.channel) ORDER BY asked.n),
           array_agg(CASE WHEN channel.id IS NULL THEN 'there is no such channel'
                          WHEN asked.mode = 2 THEN NULL
                          WHEN channel.status <> 'active' THEN 'the channel is ' || channel.status
                          WHEN channel.is_paused THEN 'the channel is paused' END ORDER BY asked.n)
    INTO r_first, r_known, r_known_hash, r_channel, r_fault
    FROM (SELECT n, key, channel, mode, (min(n) OVER (PARTITION BY key))::int AS first_of
          FROM unnest(p_key, p_channel, p_mode) WITH ORDINALITY a(key, channel, mode, n)) asked
    LEFT JOIN sales_channels channel ON channel.id = asked.channel
    LEFT JOIN LATERAL (SELECT id, body_hash FROM reservation
                       WHERE reservation.key = asked.key AND state IN ('held', 'confirmed', 'closed') LIMIT 1) known ON true;

    v_variant := ARRAY(
        SELECT variant_id FROM stock_pool WHERE variant_id = ANY (p_line_variant || ARRAY(
            SELECT component_id FROM bundle_components WHERE bundle_id = ANY (p_line_variant))) ORDER BY variant_id);
    SELECT array_agg(request), array_agg(line), array_agg(array_position(v_variant, variant)), array_agg(quantity)
    INTO l_request, l_line, l_pool, l_quantity
    FROM (SELECT asked.request, (asked.n - min(asked.n) OVER (PARTITION BY asked.request))::int AS line,
                 coalesce(part.component_id, asked.variant) AS variant,
                 asked.quantity::bigint * coalesce(part.quantity, 1) AS quantity
          FROM unnest(p_line_request, p_line_variant, p_line_quantity) WITH ORDINALITY asked(request, variant, quantity, n)
          LEFT JOIN bundle_components part ON part.bundle_id = asked.variant
          ORDER BY asked.request, asked.n, part.component_id) lines;
    l_end := array_fill(0, ARRAY[n_requests]);
    FOR l IN 1 .. coalesce(cardinality(l_request), 0) LOOP
        l_end[l_request[l]] := l;
    END LOOP;

    -- A channel without sources sells from every active location, in order of priority.
    SELECT array_agg(id ORDER BY id) INTO v_places FROM stock_locations;
    n_places := coalesce(cardinality(v_places), 0);
    k_rank := ARRAY(
        SELECT CASE WHEN source.rank IS NOT NULL AND place.is_active THEN source.rank
                    WHEN place.is_active AND NOT EXISTS (SELECT FROM channel_sources own WHERE own.sales_channel_id = channel)
                    THEN place.priority END
        FROM unnest(c_channel) WITH ORDINALITY c(channel, n) CROSS JOIN stock_locations place
        LEFT JOIN channel_sources source ON source.sales_channel_id = channel AND source.location_id = place.id
        ORDER BY c.n, place.id);

    <<settle>>
    LOOP
        -- Counters into arrays. A policy that is missing is opened with defaults, which allow what the pool allows.
        INSERT INTO channel_inventories (variant_id, sales_channel_id)
        SELECT variant, channel
        FROM (SELECT DISTINCT v_variant[want.pool] AS variant, p_channel[want.request] AS channel
              FROM unnest(l_pool, l_request) want(pool, request) WHERE want.pool IS NOT NULL) wanted
        WHERE NOT EXISTS (SELECT FROM channel_inventories policy
                          WHERE policy.variant_id = variant AND policy.sales_channel_id = channel)
          AND EXISTS (SELECT FROM sales_channels WHERE id = channel)
        ORDER BY 1, 2 ON CONFLICT DO NOTHING;

        SELECT array_agg(on_hand ORDER BY variant_id), array_agg(on_hand - reserved - allocated ORDER BY variant_id),
               array_agg(safety ORDER BY variant_id), array_agg(fenced ORDER BY variant_id),
               array_agg(backordered ORDER BY variant_id), array_agg(backorder_limit ORDER BY variant_id)
        INTO v_on_hand, v_physical, v_safety, v_fenced, v_backordered, v_backorder_limit
        FROM stock_pool WHERE variant_id = ANY (v_variant);

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
        FOR pool IN 1 .. coalesce(cardinality(v_variant), 0) LOOP
            WHILE i_variant[item + 1] = v_variant[pool] LOOP item := item + 1; END LOOP;
            WHILE s_variant[slot + 1] = v_variant[pool] LOOP slot := slot + 1; END LOOP;
            i_end[pool] := item;
            s_end[pool] := slot;
        END LOOP;

        n := 0;  f := 0;  r_winner := '{}';
        t_request := '{}';  t_line := '{}';  t_position := '{}';  t_variant := '{}';  t_location := '{}';
        t_quantity := '{}';  t_fence := '{}';  t_lender := '{}';  t_short := '{}';  t_backorder := '{}';
        t_item := '{}';  t_slot := '{}';  t_lending := '{}';  f_request := '{}';  f_slot := '{}';  f_quantity := '{}';

        <<requests>>
        FOR r IN 1 .. n_requests LOOP
            v_available[r] := NULL;
            v_reason[r] := NULL;
            v_id[r] := NULL;
            IF r_known[r] IS NOT NULL THEN
                v_verdict[r] := CASE WHEN r_known_hash[r] = p_hash[r] THEN 'duplicate' ELSE 'key_reused' END;
                v_id[r] := r_known[r];
                CONTINUE requests;
            END IF;
            k := r_winner[r_first[r]];
            IF k IS NOT NULL THEN
                v_verdict[r] := CASE WHEN p_hash[k] = p_hash[r] THEN 'duplicate' ELSE 'key_reused' END;
                CONTINUE requests;
            END IF;
            IF r_fault[r] IS NOT NULL THEN
                v_verdict[r] := CASE WHEN r_fault[r] LIKE 'the channel%' THEN 'refused' ELSE 'invalid' END;
                v_reason[r] := r_fault[r];
                CONTINUE requests;
            END IF;
            mode := p_mode[r];
            guard := (mode <> 2)::int;  -- a sale that already happened may take safety stock
            channel_row := (r_channel[r] - 1) * n_places;
            n_before := n;
            f_before := f;
            v_position := 0;
            v_verdict[r] := 'granted';
            IF l_end[r] = 0 THEN
                v_verdict[r] := 'invalid';
                v_reason[r] := 'the request has no lines';
                CONTINUE requests;
            END IF;
            -- walk the lines of this request from its last one backwards to find its first
            l := l_end[r];
            WHILE l > 1 AND l_request[l - 1] = r LOOP l := l - 1; END LOOP;

            <<lines>>
            FOR l IN l .. l_end[r] LOOP
                pool := l_pool[l];
                IF pool IS NULL OR l_quantity[l] IS NULL OR l_quantity[l] NOT BETWEEN 1 AND 1000000000 THEN
                    v_verdict[r] := 'invalid';
                    v_reason[r] := CASE WHEN pool IS NULL THEN 'line ' || l_line[l] || ': there is no such variant'
                                   ELSE 'line ' || l_line[l] || ': the quantity is not between 1 and 1000000000' END;
                    EXIT lines;
                END IF;
                wanted := l_quantity[l];
                i_from := CASE WHEN pool = 1 THEN 1 ELSE i_end[pool - 1] + 1 END;
                s_from := CASE WHEN pool = 1 THEN 1 ELSE s_end[pool - 1] + 1 END;
                slot := s_from;
                WHILE s_channel[slot] <> p_channel[r] LOOP slot := slot + 1; END LOOP;

                -- What lies where this channel may take it from, and the best place that has it all.
                at_sources := 0;
                best := NULL;
                best_rank := NULL;
                FOR item IN i_from .. i_end[pool] LOOP
                    rank := CASE WHEN p_location[r] IS NULL THEN k_rank[channel_row + i_place[item]]
                                 WHEN p_location[r] = i_location[item] THEN 0 END;
                    free_here := i_physical[item] - guard * i_safety[item];
                    IF rank IS NOT NULL AND free_here > 0 THEN
                        at_sources := at_sources + free_here;
                        IF free_here >= wanted AND (best IS NULL OR rank < best_rank) THEN
                            best := item;
                            best_rank := rank;
                        END IF;
                    END IF;
                END LOOP;

                extra := 0;
                IF mode = 2 THEN
                    reach := least(at_sources, v_physical[pool]);
                    rest := wanted - reach;
                ELSE
                    lendable := 0;
                    IF s_borrows[slot] THEN
                        FOR k IN s_from .. s_end[pool] LOOP
                            IF s_lends[k] AND k <> slot THEN
                                lendable := lendable + s_fence[k];
                            END IF;
                        END LOOP;
                    END IF;
                    reach := v_physical[pool] - v_safety[pool] - s_buffer[slot] - (v_fenced[pool] - s_fence[slot] - lendable);
                    IF NOT s_uses_pool[slot] THEN
                        reach := least(reach, s_fence[slot] + lendable);
                    END IF;
                    reach := greatest(0, least(reach, at_sources));
                    room := least(s_cap[slot] - s_used[slot],
                                  (s_percent[slot]::bigint * v_on_hand[pool] / 100)::int - s_used[slot]);
                    IF wanted > reach AND (s_backorder[slot] OR s_horizon[slot] > 0) THEN
                        extra := greatest(0, stock_beyond(v_variant[pool], s_backorder[slot], s_horizon[slot],
                            v_backorder_limit[pool], v_now) - v_backordered[pool]);
                    END IF;
                    rest := wanted - least(reach + extra, room);
                END IF;
                IF wanted > reach OR rest > 0 THEN  -- nothing is refused, or put on backorder, for want of expired stock
                    IF v_expired < 0 OR (mode = 2 AND v_expired >= 500) THEN
                        v_expired := stock_expire(v_variant, 500);
                        v_again := v_expired >= 500;
                        CONTINUE settle WHEN v_expired > 0;
                    END IF;
                    IF mode <> 2 AND (rest > 0 OR v_again) THEN
                        v_verdict[r] := CASE WHEN v_again THEN 'again' ELSE 'refused' END;
                        v_available[r] := greatest(0, least(reach + extra, room));
                        v_reason[r] := 'line ' || l_line[l] || ': ' || wanted || ' wanted, ' || v_available[r] || ' available';
                        EXIT lines;
                    END IF;
                END IF;

                -- Take: own fence, then the pool, then lenders in order of channel.
                fence_rest := least(wanted, reach, s_fence[slot]);
                piece := least(wanted, reach);
                rest := 0;
                IF mode <> 2 THEN
                    take := fence_rest;
                    IF s_uses_pool[slot] THEN
                        take := take + greatest(0, least(piece - take,
                            v_physical[pool] - v_safety[pool] - v_fenced[pool] - s_buffer[slot]));
                    END IF;
                    rest := piece - take;
                    piece := take;
                END IF;
                v_physical[pool] := v_physical[pool] - piece;
                v_fenced[pool] := v_fenced[pool] - fence_rest;
                s_fence[slot] := s_fence[slot] - fence_rest;
                s_used[slot] := s_used[slot] + piece;
                lender := NULL;
                LOOP
                    WHILE piece > 0 LOOP
                        IF best IS NULL OR i_physical[best] - guard * i_safety[best] < piece THEN
                            best := NULL;
                            take := 0;
                            FOR item IN i_from .. i_end[pool] LOOP
                                rank := CASE WHEN p_location[r] IS NULL THEN k_rank[channel_row + i_place[item]]
                                             WHEN p_location[r] = i_location[item] THEN 0 END;
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
                        t_line[n] := l_line[l];
                        t_position[n] := v_position;
                        t_variant[n] := v_variant[pool];
                        t_location[n] := i_location[best];
                        t_quantity[n] := take;
                        t_fence[n] := least(take, fence_rest);
                        t_lender[n] := s_channel[lender];
                        t_short[n] := 0;
                        t_backorder[n] := false;
                        t_item[n] := best;
                        t_slot[n] := slot;
                        t_lending[n] := lender;
                        v_position := v_position + 1;
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
                    t_line[n] := l_line[l];
                    t_position[n] := v_position;
                    t_variant[n] := v_variant[pool];
                    t_location[n] := CASE WHEN mode = 2 THEN p_location[r] END;
                    t_quantity[n] := CASE WHEN mode = 2 THEN 0 ELSE wanted - reach END;
                    t_fence[n] := 0;
                    t_lender[n] := NULL;
                    t_short[n] := CASE WHEN mode = 2 THEN wanted - reach ELSE 0 END;
                    t_backorder[n] := mode <> 2;
                    t_item[n] := NULL;
                    t_slot[n] := slot;
                    t_lending[n] := NULL;
                    v_position := v_position + 1;
                    v_backordered[pool] := v_backordered[pool] + t_quantity[n];
                END IF;
                -- A sale that already happened may cut into the fences of others; the last channel gives first.
                k := s_end[pool];
                WHILE mode = 2 AND v_fenced[pool] > v_physical[pool] LOOP
                    take := least(s_fence[k], v_fenced[pool] - v_physical[pool]);
                    IF take > 0 THEN
                        f := f + 1;
                        f_request[f] := r;
                        f_slot[f] := k;
                        f_quantity[f] := take;
                        s_fence[k] := s_fence[k] - take;
                        v_fenced[pool] := v_fenced[pool] - take;
                    END IF;
                    k := k - 1;
                END LOOP;
            END LOOP lines;

            IF v_verdict[r] = 'granted' THEN
                r_winner[r_first[r]] := r;
                CONTINUE requests;
            END IF;
            WHILE n > n_before LOOP  -- all lines or none
                pool := array_position(v_variant, t_variant[n]);
                IF t_backorder[n] THEN
                    v_backordered[pool] := v_backordered[pool] - t_quantity[n];
                ELSIF t_item[n] IS NOT NULL THEN
                    i_physical[t_item[n]] := i_physical[t_item[n]] + t_quantity[n];
                    v_physical[pool] := v_physical[pool] + t_quantity[n];
                    s_used[t_slot[n]] := s_used[t_slot[n]] - t_quantity[n];
                    k := coalesce(t_lending[n], t_slot[n]);
                    take := CASE WHEN t_lending[n] IS NULL THEN t_fence[n] ELSE t_quantity[n] END;
                    s_fence[k] := s_fence[k] + take;
                    v_fenced[pool] := v_fenced[pool] + take;
                END IF;
                n := n - 1;
            END LOOP;
            WHILE f > f_before LOOP
                pool := array_position(v_variant, s_variant[f_slot[f]]);
                s_fence[f_slot[f]] := s_fence[f_slot[f]] + f_quantity[f];
                v_fenced[pool] := v_fenced[pool] + f_quantity[f];
                f := f - 1;
            END LOOP;
        END LOOP requests;
        EXIT settle;
    END LOOP settle;

    n_granted := (SELECT count(*) FROM unnest(v_verdict) given WHERE given = 'granted');
    IF n_granted > 0 THEN
        SELECT array_agg(coalesce(known, fresh) ORDER BY n) INTO v_id
        FROM (SELECT n, known, CASE WHEN given = 'granted' THEN nextval('reservation_id_seq') END AS fresh
              FROM unnest(v_verdict, v_id) WITH ORDINALITY a(given, known, n)) numbered;
        WITH written AS (
            INSERT INTO reservation (id, key, body_hash, sales_channel_id, state, expires_at, created_at)
            SELECT id, key, hash, channel, CASE WHEN mode = 0 THEN 'held' ELSE 'confirmed' END,
                   CASE WHEN mode = 0 THEN v_now + make_interval(secs => seconds) END, v_now
            FROM unnest(v_id, v_verdict, p_key, p_hash, p_channel, p_mode, p_hold_seconds)
                 a(id, given, key, hash, channel, mode, seconds)
            WHERE given = 'granted' ORDER BY key
            ON CONFLICT (key) WHERE state IN ('held', 'confirmed', 'closed') DO NOTHING
            RETURNING id)
        SELECT count(*) FROM written INTO k;
        IF k < n_granted THEN
            -- Another transaction took a key meanwhile: that request, and whoever it may have crowded out, comes again.
            v_lost := ARRAY(SELECT id FROM unnest(v_id, v_verdict) a(id, given) WHERE given = 'granted'
                            AND NOT EXISTS (SELECT FROM reservation WHERE reservation.id = a.id));
            FOR r IN 1 .. n_requests LOOP
                IF v_verdict[r] IN ('refused', 'duplicate', 'key_reused') AND r_known[r] IS NULL OR v_id[r] = ANY (v_lost) THEN
                    v_verdict[r] := 'again';
                END IF;
            END LOOP;
        END IF;
        PERFORM stock_write_holds(v_id, v_verdict, p_channel, p_mode, p_hold_seconds, v_now, t_request[1:n], t_line[1:n],
            t_position[1:n], t_variant[1:n], t_location[1:n], t_quantity[1:n], t_fence[1:n], t_lender[1:n], t_short[1:n],
            t_backorder[1:n], f_request[1:f],
            ARRAY(SELECT s_channel[k] FROM unnest(f_slot[1:f]) WITH ORDINALITY a(k, n) ORDER BY n),
            ARRAY(SELECT s_variant[k] FROM unnest(f_slot[1:f]) WITH ORDINALITY a(k, n) ORDER BY n), f_quantity[1:f], p_actor);
        FOR r IN 1 .. n_requests LOOP
            IF v_verdict[r] IN ('duplicate', 'key_reused') AND v_id[r] IS NULL THEN
                v_id[r] := v_id[r_winner[r_first[r]]];
            ELSIF v_verdict[r] NOT IN ('granted', 'duplicate', 'key_reused') THEN
                v_id[r] := NULL;
            END IF;
        END LOOP;
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

-- Writes the lines of granted requests, posts their movements, and raises an alert for what was sold short.
CREATE OR REPLACE FUNCTION stock_write_holds(
    p_id bigint[], p_verdict text[], p_channel bigint[], p_mode int[], p_hold_seconds int[], p_now timestamptz,
    t_request int[], t_line int[], t_position int[], t_variant bigint[], t_location bigint[], t_quantity int[],
    t_fence int[], t_lender bigint[], t_short int[], t_backorder boolean[],
    f_request int[], f_channel bigint[], f_variant bigint[], f_quantity int[], p_actor text
) RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO reservation_line (reservation_id, position, line, variant_id, location_id, sales_channel_id, promised,
        quantity, from_fence, lender_id, short, is_backorder, state, expires_at)
    SELECT p_id[request], pos, line, variant, location, p_channel[request], quantity, quantity, fence, lender, short,
           backorder, CASE WHEN p_mode[request] = 0 THEN 'held' ELSE 'confirmed' END,
           CASE WHEN p_mode[request] = 0 THEN p_now + make_interval(secs => p_hold_seconds[request]) END
    FROM unnest(t_request, t_position, t_line, t_variant, t_location, t_quantity, t_fence, t_lender, t_short, t_backorder)
         t(request, pos, line, variant, location, quantity, fence, lender, short, backorder)
    WHERE p_verdict[request] = 'granted';

    PERFORM stock_post(array_agg(kind), array_agg(variant), array_agg(location), array_agg(channel),
        array_agg(0), array_agg(reserved), array_agg(allocated), array_agg(fence), array_agg(backordered),
        array_agg(reservation), array_agg(''::text), p_actor, array_agg(reason))
    FROM (
        SELECT CASE WHEN backorder THEN 'backorder' WHEN p_mode[request] = 0 THEN 'reserve' ELSE 'allocate' END AS kind,
               variant, location, p_channel[request] AS channel,
               CASE WHEN p_mode[request] = 0 AND NOT backorder THEN quantity ELSE 0 END AS reserved,
               CASE WHEN p_mode[request] > 0 AND NOT backorder THEN quantity ELSE 0 END AS allocated,
               -fence AS fence, CASE WHEN backorder THEN quantity ELSE 0 END AS backordered,
               p_id[request] AS reservation, '' AS reason
        FROM unnest(t_request, t_variant, t_location, t_quantity, t_fence, t_backorder)
             t(request, variant, location, quantity, fence, backorder)
        WHERE p_verdict[request] = 'granted' AND quantity > 0
        UNION ALL
        SELECT 'fence', variant, NULL, lender, 0, 0, -quantity, 0, p_id[request], 'lent'
        FROM unnest(t_request, t_variant, t_quantity, t_lender) t(request, variant, quantity, lender)
        WHERE lender IS NOT NULL AND p_verdict[request] = 'granted'
        UNION ALL
        SELECT 'fence', variant, NULL, channel, 0, 0, -quantity, 0, p_id[request], 'cut by a sale that already happened'
        FROM unnest(f_request, f_variant, f_channel, f_quantity) f(request, variant, channel, quantity)
        WHERE p_verdict[request] = 'granted'
    ) movements HAVING count(*) > 0;

    INSERT INTO stock_alerts AS alert (variant_id, sales_channel_id, level, quantity, threshold, opened_at)
    SELECT variant, p_channel[request], 'short', sum(short), 0, p_now
    FROM unnest(t_request, t_variant, t_short) t(request, variant, short)
    WHERE short > 0 AND p_verdict[request] = 'granted' GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
        SET quantity = CASE WHEN alert.level = 'short' THEN alert.quantity ELSE 0 END + excluded.quantity,
            level = 'short', snoozed_until = NULL;
END $$;
