-- What one currency was worth in another on a day: by the last rate on or before it, never by a later one, never guessed.

-- The currency in which the merchant counts: the one that is said, else that of the first channel.
CREATE OR REPLACE FUNCTION merchant_currency() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT currency::text FROM merchant WHERE id = 1),
                    (SELECT currency::text FROM sales_channels ORDER BY id LIMIT 1), 'EUR')
$$;

-- The rate of two currencies as it was given, or its inverse: the newer one, and of one day the one that was given.
CREATE OR REPLACE FUNCTION exchange_given(source text, target text, day date, OUT rate numeric, OUT since date)
LANGUAGE sql STABLE AS $$
    SELECT given.rate, given.date FROM (
        (SELECT direct.rate, direct.date, 1 AS rank FROM exchange_rates direct
         WHERE direct.base = source AND direct.quote = target AND direct.date <= day ORDER BY direct.date DESC LIMIT 1)
        UNION ALL
        (SELECT 1 / inverse.rate, inverse.date, 2 FROM exchange_rates inverse
         WHERE inverse.base = target AND inverse.quote = source AND inverse.date <= day
         ORDER BY inverse.date DESC LIMIT 1)
    ) given ORDER BY given.date DESC, given.rank LIMIT 1
$$;

-- The rate from one currency into another on a day: given, inverse, or crossed through a third currency for which both
-- are known: the merchant's if it can be, else the one whose older rate is the newest. Null where there is none.
-- `since` is the day of the (older) rate, `via` the third currency.
CREATE OR REPLACE FUNCTION exchange_rate(
    source text, target text, day date, OUT rate numeric, OUT since date, OUT via text
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    via := '';
    IF source = target THEN
        rate := 1; since := day; RETURN;
    END IF;
    SELECT given.rate, given.since INTO rate, since FROM exchange_given(source, target, day) given;
    IF rate IS NOT NULL THEN
        RETURN;
    END IF;
    WITH RECURSIVE pairs AS (  -- the pairs that there are, by steps through the index
        (SELECT known.base, known.quote FROM exchange_rates known ORDER BY known.base, known.quote LIMIT 1)
        UNION ALL
        SELECT following.base, following.quote FROM pairs CROSS JOIN LATERAL (
            SELECT known.base, known.quote FROM exchange_rates known
            WHERE (known.base, known.quote) > (pairs.base, pairs.quote)
            ORDER BY known.base, known.quote LIMIT 1) following
    ), reached AS (
        SELECT quote AS currency, base AS start FROM pairs UNION SELECT base, quote FROM pairs
    ), thirds AS (
        SELECT currency FROM reached WHERE start = source INTERSECT SELECT currency FROM reached WHERE start = target
    )
    SELECT first.rate * second.rate, least(first.since, second.since), thirds.currency INTO rate, since, via
    FROM thirds
    CROSS JOIN LATERAL exchange_given(source, thirds.currency::text, day) first
    CROSS JOIN LATERAL exchange_given(thirds.currency::text, target, day) second
    WHERE first.rate IS NOT NULL AND second.rate IS NOT NULL
    ORDER BY thirds.currency = merchant_currency() DESC, least(first.since, second.since) DESC, thirds.currency LIMIT 1;
    via := coalesce(via, '');
END $$;
