-- What becomes of holds and promises: released, expired, taken back, fulfilled, confirmed.

-- Ends open units. p_quantity null: all that is open. Held lines are released or expire; confirmed ones are
-- deallocated or fulfilled; lines in another state, or with nothing open, are passed over. Returns the units ended
-- per entry. Fence units go back to their fence, except when the goods left. What fell short of a promise keeps waiting
-- for goods; what fell short of a hold ends with the hold. Locks the pools itself.
CREATE OR REPLACE FUNCTION stock_close(
    p_kind text, p_reservation bigint[], p_position smallint[], p_quantity int[], p_actor text, p_reference text[],
    p_reason text
) RETURNS int[] LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_from text := CASE WHEN p_kind IN ('release', 'expire') THEN 'held' ELSE 'confirmed' END;
    v_to text := CASE p_kind WHEN 'expire' THEN 'expired' WHEN 'release' THEN 'released' ELSE 'closed' END;
    v_left boolean := p_kind = 'fulfil';
    v_entry int[];
    v_reservation bigint[];
    v_position smallint[];
    v_ended int[];
    v_fence int[];
BEGIN
    -- Lines are looked up and written one by one, whatever was planned while the table was empty.
    IF p_kind NOT IN ('release', 'expire', 'deallocate', 'fulfil') THEN
        RAISE EXCEPTION 'stock_close: % is no way to end a hold', p_kind;
    END IF;
    PERFORM stock_lock(ARRAY(
        SELECT DISTINCT line.variant_id FROM unnest(p_reservation, p_position) asked(reservation, pos)
        CROSS JOIN LATERAL (SELECT * FROM reservation_line WHERE reservation_id = asked.reservation AND position = asked.pos
                            OFFSET 0) line));

    -- Two that end different lines of one reservation come one after the other, so that the second sees it is empty.
    PERFORM FROM reservation WHERE id = ANY (p_reservation) ORDER BY id FOR UPDATE;

    -- What is asked twice in one call is asked once, for the sum.
    SELECT array_agg(entry), array_agg(reservation), array_agg(pos), array_agg(ended),
           array_agg(greatest(0, from_fence - (quantity - ended)))
    INTO v_entry, v_reservation, v_position, v_ended, v_fence
    FROM (
        SELECT asked.entry, asked.reservation, asked.pos, line.quantity, line.from_fence,
               least(coalesce(asked.wanted, line.quantity), line.quantity)::int AS ended
        FROM (SELECT min(n)::int AS entry, reservation, pos,
                     CASE WHEN bool_or(wanted IS NULL) THEN NULL ELSE sum(wanted) END AS wanted
              FROM unnest(p_reservation, p_position, p_quantity) WITH ORDINALITY a(reservation, pos, wanted, n)
              GROUP BY reservation, pos) asked
        CROSS JOIN LATERAL (SELECT * FROM reservation_line WHERE reservation_id = asked.reservation AND position = asked.pos
                            OFFSET 0) line
        WHERE line.state = v_from AND coalesce(asked.wanted, 1) > 0
          AND (line.quantity > 0 OR v_from = 'held' AND asked.wanted IS NULL)
          AND NOT (line.is_backorder AND v_left)
          AND (p_kind <> 'expire' OR line.expires_at <= clock_timestamp())
    ) open_lines;
    IF v_entry IS NULL THEN
        RETURN array_fill(0, ARRAY[cardinality(p_reservation)]);
    END IF;

    FOR n IN 1 .. cardinality(v_entry) LOOP
        UPDATE reservation_line line
        SET quantity = line.quantity - v_ended[n], from_fence = line.from_fence - v_fence[n],
            short = CASE WHEN v_from = 'held' AND line.quantity = v_ended[n] THEN 0 ELSE line.short END,
            state = CASE WHEN line.quantity = v_ended[n] AND (v_from = 'held' OR line.short = 0) THEN v_to
                         ELSE line.state END
        WHERE line.reservation_id = v_reservation[n] AND line.position = v_position[n];
    END LOOP;

    UPDATE reservation SET state = v_to
    WHERE id = ANY (v_reservation) AND state = v_from AND NOT EXISTS (
        SELECT FROM reservation_line line
        WHERE line.reservation_id = reservation.id AND (line.quantity > 0 OR line.short > 0));

    PERFORM stock_post(array_agg(kind), array_agg(variant), array_agg(location), array_agg(channel),
        array_agg(on_hand), array_agg(reserved), array_agg(allocated), array_agg(fence), array_agg(backordered),
        array_agg(reservation), array_agg(reference), p_actor, array_agg(p_reason))
    FROM unnest(v_entry, v_reservation, v_position, v_ended, v_fence) ending(entry, reservation, pos, ended, freed)
    CROSS JOIN LATERAL (SELECT * FROM reservation_line WHERE reservation_id = ending.reservation AND position = ending.pos
                        OFFSET 0) line
    CROSS JOIN LATERAL (
        SELECT p_kind AS kind, line.variant_id AS variant, line.location_id AS location,
               line.sales_channel_id AS channel, CASE WHEN v_left THEN -ended ELSE 0 END AS on_hand,
               CASE WHEN v_from = 'held' AND NOT line.is_backorder THEN -ended ELSE 0 END AS reserved,
               CASE WHEN v_from = 'confirmed' AND NOT line.is_backorder THEN -ended ELSE 0 END AS allocated,
               CASE WHEN v_left THEN 0 ELSE freed END AS fence,
               CASE WHEN line.is_backorder THEN -ended ELSE 0 END AS backordered, p_reference[ending.entry] AS reference
        UNION ALL
        SELECT 'fence', line.variant_id, NULL, line.lender_id, 0, 0, 0, ended, 0, p_reference[ending.entry]
        WHERE line.lender_id IS NOT NULL AND NOT v_left
    ) movement WHERE ended > 0 HAVING count(*) > 0;

    RETURN ARRAY(SELECT coalesce(ending.ended, 0) FROM generate_series(1, cardinality(p_reservation)) n
                 LEFT JOIN unnest(v_entry, v_ended) ending(entry, ended) ON ending.entry = n ORDER BY n);
END $$;

-- Lets expired holds of these variants go (null: of all), oldest first, at most p_limit lines; returns how many there were.
CREATE OR REPLACE FUNCTION stock_expire(p_variants bigint[], p_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_reservations bigint[];
    v_positions smallint[];
BEGIN
    IF p_variants IS NULL THEN
        SELECT array_agg(reservation_id), array_agg(position) INTO v_reservations, v_positions
        FROM (SELECT reservation_id, position FROM reservation_line
              WHERE state = 'held' AND expires_at <= clock_timestamp()
              ORDER BY expires_at, reservation_id, position LIMIT p_limit) oldest;
    ELSE
        SELECT array_agg(reservation_id), array_agg(position) INTO v_reservations, v_positions
        FROM (SELECT reservation_id, position FROM reservation_line
              WHERE state = 'held' AND variant_id = ANY (p_variants) AND expires_at <= clock_timestamp()
              ORDER BY expires_at, reservation_id, position LIMIT p_limit) oldest;
    END IF;
    IF v_reservations IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM stock_close(
        'expire', v_reservations, v_positions, array_fill(NULL::int, ARRAY[cardinality(v_reservations)]), 'system',
        array_fill(''::text, ARRAY[cardinality(v_reservations)]), 'the hold ran out');
    RETURN cardinality(v_reservations);
END $$;

-- Turns holds into promises. A hold past its end that nobody released yet still counts. Returns the reservations
-- that were confirmed now; what is missing was confirmed before, or lost some of its units. Lines that were given back
-- on purpose stay so.
CREATE OR REPLACE FUNCTION stock_confirm(p_reservations bigint[], p_actor text, p_reference text) RETURNS bigint[]
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_confirmed bigint[];
BEGIN
    PERFORM stock_lock(ARRAY(SELECT DISTINCT variant_id FROM reservation_line WHERE reservation_id = ANY (p_reservations)));
    WITH turned AS (
        UPDATE reservation SET state = 'confirmed', expires_at = NULL
        WHERE id = ANY (p_reservations) AND state = 'held' AND NOT EXISTS (
            SELECT FROM reservation_line line WHERE line.reservation_id = reservation.id AND line.state NOT IN ('held', 'released'))
        RETURNING id)
    SELECT array_agg(id) INTO v_confirmed FROM turned;
    IF v_confirmed IS NULL THEN
        RETURN '{}';
    END IF;
    UPDATE reservation_line SET state = 'confirmed', expires_at = NULL
    WHERE reservation_id = ANY (v_confirmed) AND state = 'held';
    PERFORM stock_post(array_agg('allocate'::text), array_agg(variant_id), array_agg(location_id),
        array_agg(sales_channel_id), array_agg(0), array_agg(-quantity), array_agg(quantity), array_agg(0), array_agg(0),
        array_agg(reservation_id), array_agg(p_reference), p_actor, array_agg('order placed'::text))
    FROM reservation_line
    WHERE reservation_id = ANY (v_confirmed) AND state = 'confirmed' AND quantity > 0 AND NOT is_backorder
    HAVING count(*) > 0;
    RETURN v_confirmed;
END $$;

-- Gives the lines of a reservation that was made anew to the one that had lost its units, so that whoever knows the old
-- number finds the promise under it. p_line[n] is the old line that line n - 1 of the new one stands for. The new
-- reservation stays, empty, because the ledger names it.
CREATE OR REPLACE FUNCTION stock_adopt(p_old bigint, p_new bigint, p_line smallint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reservation SET state = 'released' WHERE id = p_new;
    UPDATE reservation SET state = 'confirmed', expires_at = NULL WHERE id = p_old;
    UPDATE reservation_line SET reservation_id = p_old, line = p_line[line + 1], position = position + 1 + (
        SELECT max(position) FROM reservation_line WHERE reservation_id = p_old) WHERE reservation_id = p_new;
END $$;
