-- For PostgreSQL 18 or newer: all tables of an empty database, as the migrations make them.
-- Written by `make schema`; change the migrations, not this.

SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL transaction_timeout = 0;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', true);
SET LOCAL check_function_bodies = false;
SET LOCAL xmloption = content;
SET LOCAL client_min_messages = warning;
SET LOCAL row_security = off;

-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

-- Name: procrastinate_job_event_type; Type: TYPE; Schema: public; Owner: -

CREATE TYPE public.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);

-- Name: procrastinate_job_status; Type: TYPE; Schema: public; Owner: -

CREATE TYPE public.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);

-- Name: procrastinate_job_to_defer_v1; Type: TYPE; Schema: public; Owner: -

CREATE TYPE public.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);

-- Name: analytics_note_changed_rates(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_changed_rates() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day)
    SELECT 'rates', min(date) FROM (SELECT date FROM before UNION ALL SELECT date FROM after) touched
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- Name: analytics_note_channel(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_channel() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id) VALUES ('everything', NEW.id);
    IF OLD.currency <> NEW.currency THEN  -- it may stand for the merchant's
        INSERT INTO analytics_changes (kind, day) VALUES ('rates', date '0001-01-01');
    END IF;
    RETURN NULL;
END $$;

-- Name: analytics_note_currency(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_currency() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day) VALUES ('rates', date '0001-01-01');
    RETURN NULL;
END $$;

-- Name: analytics_note_journey(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_journey() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', version.channel_id, (version.started_at AT TIME ZONE channel.time_zone)::date
    FROM (VALUES (OLD.start_channel_id, OLD.started_at), (NEW.start_channel_id, NEW.started_at))
         version(channel_id, started_at)
    JOIN sales_channels channel ON channel.id = version.channel_id;
    RETURN NULL;
END $$;

-- Name: analytics_note_journeys(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_journeys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', journey.start_channel_id, (journey.started_at AT TIME ZONE channel.time_zone)::date
    FROM touched journey JOIN sales_channels channel ON channel.id = journey.start_channel_id;
    RETURN NULL;
END $$;

-- Name: analytics_note_line(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_line() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', placed.sales_channel_id, (placed.placed_at AT TIME ZONE channel.time_zone)::date
    FROM orders placed JOIN sales_channels channel ON channel.id = placed.sales_channel_id
    WHERE placed.id IN (OLD.order_id, NEW.order_id);
    RETURN NULL;
END $$;

-- Name: analytics_note_lines(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', placed.sales_channel_id, (placed.placed_at AT TIME ZONE channel.time_zone)::date
    FROM (SELECT DISTINCT order_id FROM touched) line JOIN orders placed ON placed.id = line.order_id
    JOIN sales_channels channel ON channel.id = placed.sales_channel_id;
    RETURN NULL;
END $$;

-- Name: analytics_note_merge(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_merge() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, customer_id)
    SELECT DISTINCT 'person', touched.id
    FROM unnest(ARRAY[NEW.id, OLD.merged_into_id, NEW.merged_into_id]) AS touched(id) WHERE touched.id IS NOT NULL;
    RETURN NULL;
END $$;

-- Name: analytics_note_order(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_order() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day, customer_id, order_id, at)
    SELECT DISTINCT
           CASE WHEN version.customer_id IS NULL OR
                     (OLD.sales_channel_id, OLD.customer_id, OLD.placed_at, OLD.state = 'cancelled')
                     IS NOT DISTINCT FROM
                     (NEW.sales_channel_id, NEW.customer_id, NEW.placed_at, NEW.state = 'cancelled')
                THEN 'day' ELSE 'order' END,
           version.channel_id, (version.placed_at AT TIME ZONE channel.time_zone)::date, version.customer_id, NEW.id,
           version.placed_at
    FROM (VALUES (OLD.sales_channel_id, OLD.customer_id, OLD.placed_at),
                 (NEW.sales_channel_id, NEW.customer_id, NEW.placed_at)) version(channel_id, customer_id, placed_at)
    JOIN sales_channels channel ON channel.id = version.channel_id;
    RETURN NULL;
END $$;

-- Name: analytics_note_orders(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_orders() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day, customer_id, order_id, at)
    SELECT CASE WHEN placed.customer_id IS NULL THEN 'day' ELSE 'order' END, placed.sales_channel_id,
           (placed.placed_at AT TIME ZONE channel.time_zone)::date, placed.customer_id, placed.id, placed.placed_at
    FROM touched placed JOIN sales_channels channel ON channel.id = placed.sales_channel_id;
    RETURN NULL;
END $$;

-- Name: analytics_note_rates(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.analytics_note_rates() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day) SELECT 'rates', min(date) FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- Name: exchange_given(text, text, date); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.exchange_given(source text, target text, day date, OUT rate numeric, OUT since date) RETURNS record
    LANGUAGE sql STABLE
    AS $$
    SELECT given.rate, given.date FROM (
        (SELECT direct.rate, direct.date, 1 AS rank FROM exchange_rates direct
         WHERE direct.base = source AND direct.quote = target AND direct.date <= day ORDER BY direct.date DESC LIMIT 1)
        UNION ALL
        (SELECT 1 / inverse.rate, inverse.date, 2 FROM exchange_rates inverse
         WHERE inverse.base = target AND inverse.quote = source AND inverse.date <= day
         ORDER BY inverse.date DESC LIMIT 1)
    ) given ORDER BY given.date DESC, given.rank LIMIT 1
$$;

-- Name: exchange_rate(text, text, date); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.exchange_rate(source text, target text, day date, OUT rate numeric, OUT since date, OUT via text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
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

-- Name: interactions_months(timestamp with time zone[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.interactions_months(moments timestamp with time zone[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    month timestamp;
    child text;
BEGIN
    FOR month IN SELECT DISTINCT date_trunc('month', moment AT TIME ZONE 'UTC') FROM unnest(moments) moment ORDER BY 1
    LOOP
        child := 'channel_interactions_' || to_char(month, 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        IF month < '1990-01-01' OR month >= '2101-01-01' THEN
            RAISE EXCEPTION 'interactions are kept from 1990 to 2100, not of %', month USING ERRCODE = '22008';
        END IF;
        LOCK TABLE public.channel_interactions IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.channel_interactions INCLUDING DEFAULTS)', child);
        EXECUTE format('ALTER TABLE public.channel_interactions ATTACH PARTITION public.%I '
                       'FOR VALUES FROM (%L) TO (%L)', child, month AT TIME ZONE 'UTC',
                       (month + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
END $$;

-- Name: journeys_note_merge(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.journeys_note_merge() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT DISTINCT touched.id, timestamptz '1970-01-01 00:00:00+00'
    FROM unnest(ARRAY[NEW.id, OLD.merged_into_id, NEW.merged_into_id]) AS touched(id) WHERE touched.id IS NOT NULL;
    RETURN NULL;
END $$;

-- Name: journeys_note_new_orders(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.journeys_note_new_orders() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT customer_id, min(placed_at) FROM added WHERE customer_id IS NOT NULL GROUP BY customer_id;
    RETURN NULL;
END $$;

-- Name: journeys_note_new_returns(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.journeys_note_new_returns() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT coalesce(added.customer_id, returned.customer_id), min(least(added.at, exchanged.placed_at))
    FROM added
    LEFT JOIN orders returned ON returned.id = added.order_id
    LEFT JOIN orders exchanged ON exchanged.id = added.exchange_order_id
    WHERE coalesce(added.customer_id, returned.customer_id) IS NOT NULL
    GROUP BY 1;
    RETURN NULL;
END $$;

-- Name: journeys_note_order(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.journeys_note_order() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT DISTINCT customer_id, least(OLD.placed_at, NEW.placed_at)
    FROM unnest(ARRAY[OLD.customer_id, NEW.customer_id]) AS touched(customer_id) WHERE customer_id IS NOT NULL;
    RETURN NULL;
END $$;

-- Name: journeys_note_return(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.journeys_note_return() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT DISTINCT touched.customer_id,
           least(OLD.at, NEW.at, (SELECT min(placed_at) FROM orders
                                  WHERE id IN (OLD.exchange_order_id, NEW.exchange_order_id)))
    FROM (SELECT coalesce(OLD.customer_id, (SELECT customer_id FROM orders WHERE id = OLD.order_id)) AS customer_id
          UNION
          SELECT coalesce(NEW.customer_id, (SELECT customer_id FROM orders WHERE id = NEW.order_id))) touched
    WHERE touched.customer_id IS NOT NULL;
    RETURN NULL;
END $$;

-- Name: lake_note_journeys(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.lake_note_journeys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'journeys', (started_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

-- Name: lake_note_order_lines(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.lake_note_order_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'orders', (placed.placed_at AT TIME ZONE 'UTC')::date
    FROM touched JOIN orders placed ON placed.id = touched.order_id;
    RETURN NULL;
END $$;

-- Name: lake_note_orders(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.lake_note_orders() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'orders', (placed_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

-- Name: lake_note_touchpoints(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.lake_note_touchpoints() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO lake_changes (stream, day)
    SELECT DISTINCT 'touchpoints', (occurred_at AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$;

-- Name: live_count(text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.live_count(topic text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF to_regclass('live_of_' || topic) IS NULL THEN
        EXECUTE format('CREATE UNLOGGED SEQUENCE %I', 'live_of_' || topic);
    END IF;
END $$;

-- Name: live_tell(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.live_tell() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    named text;
    rows_named bigint;
BEGIN
    IF pg_try_advisory_xact_lock_shared(4117, hashtext(TG_ARGV[0]) & 2147483647) THEN
        PERFORM nextval('live_of_' || TG_ARGV[0]);
        RETURN NULL;
    END IF;
    -- The first hundred and one ids say whether there are too many to name, and whether there is any at all.
    EXECUTE format('SELECT string_agg(DISTINCT id::text, '',''), count(*) FROM
                    (SELECT DISTINCT %I AS id FROM changed LIMIT 101) first_ones', TG_ARGV[1]) INTO named, rows_named;
    IF rows_named > 0 THEN
        PERFORM pg_notify('finalmarket_live',
                          TG_ARGV[0] || CASE WHEN rows_named > 100 OR named IS NULL THEN '' ELSE ':' || named END);
    END IF;
    RETURN NULL;
END $$;

-- Name: live_watch(regclass, text, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.live_watch(watched regclass, topic text, id_column text, name text DEFAULT 'live'::text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    event text;
BEGIN
    PERFORM live_count(topic);
    FOREACH event IN ARRAY ARRAY['insert', 'update'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION live_tell(%L, %L)',
                       name || '_' || event, event, watched, topic, id_column);
    END LOOP;
END $$;

-- Name: merchant_currency(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.merchant_currency() RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce((SELECT currency::text FROM merchant WHERE id = 1),
                    (SELECT currency::text FROM sales_channels ORDER BY id LIMIT 1), 'EUR')
$$;

-- Name: orders_of_the_erased(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.orders_of_the_erased() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM omnichannel_customers buyer
               WHERE buyer.id = NEW.customer_id AND buyer.erased_at IS NOT NULL AND NEW.placed_at <= buyer.erased_at)
    THEN
        NEW.email := '';
        NEW.phone := '';
        NEW.raw := '{}';
        NEW.shipping_address := CASE WHEN NEW.shipping_address ? 'country' THEN
            jsonb_build_object('country', left(NEW.shipping_address ->> 'country', 2)) ELSE '{}' END;
        NEW.billing_address := CASE WHEN NEW.billing_address ? 'country' THEN
            jsonb_build_object('country', left(NEW.billing_address ->> 'country', 2)) ELSE '{}' END;
    END IF;
    RETURN NEW;
END $$;

-- Name: outgoing_is_wanted(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.outgoing_is_wanted() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (SELECT FROM webhook_endpoints WHERE is_active)
$$;

-- Name: outgoing_note_journey(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.outgoing_note_journey() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    yesterday CONSTANT timestamptz := now() - interval '1 day';
    has_begun CONSTANT boolean := TG_OP = 'INSERT';
    has_ended CONSTANT boolean := NEW.state <> 'open' AND (TG_OP = 'INSERT' OR OLD.state IS DISTINCT FROM NEW.state);
BEGIN
    IF NOT outgoing_is_wanted() THEN
        RETURN NULL;
    END IF;
    IF has_begun AND (NOT NEW.is_recognised OR NEW.started_at > yesterday) THEN
        INSERT INTO outgoing_events (topic, subject_id) VALUES ('journey.started', NEW.id);
    END IF;
    IF has_ended THEN
        INSERT INTO outgoing_events (topic, subject_id) SELECT 'journey.' || NEW.state, NEW.id
        WHERE NOT NEW.is_recognised OR CASE NEW.state WHEN 'abandoned' THEN NEW.closes_at ELSE NEW.ended_at END > yesterday;
    ELSIF NOT has_begun THEN  -- it has another intent, or was opened again
        INSERT INTO outgoing_events (topic, subject_id) VALUES ('journey.changed', NEW.id);
    END IF;
    RETURN NULL;
END $$;

-- Name: outgoing_note_orders(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.outgoing_note_orders() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF outgoing_is_wanted() THEN
        INSERT INTO outgoing_events (topic, subject_id)
        SELECT DISTINCT 'order.' || CASE kind WHEN 'taken' THEN 'created' ELSE kind END, order_id FROM added
        WHERE kind NOT IN ('promised', 'routed', 'rejected') AND at > now() - interval '1 day' ORDER BY 2, 1;
    END IF;
    RETURN NULL;
END $$;

-- Name: outgoing_note_row(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.outgoing_note_row() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF outgoing_is_wanted() THEN
        INSERT INTO outgoing_events (topic, subject_id)
        VALUES (TG_ARGV[0], (to_jsonb(NEW) ->> TG_ARGV[1])::bigint);
    END IF;
    RETURN NULL;
END $$;

-- Name: procrastinate_cancel_job_v1(bigint, boolean, boolean); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;

-- Name: procrastinate_defer_jobs_v1(public.procrastinate_job_to_defer_v1[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_defer_jobs_v1(jobs public.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;

    RETURN job_ids;
END;
$$;

-- Name: procrastinate_defer_periodic_job_v2(character varying, character varying, character varying, character varying, integer, character varying, bigint, jsonb); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;

    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;

    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;

    RETURN _job_id;
END;
$$;

SET LOCAL default_table_access_method = heap;

-- Name: procrastinate_jobs; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status public.procrastinate_job_status DEFAULT 'todo'::public.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    queueing_lock text,
    priority integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::public.procrastinate_job_status) AND (abort_requested = true))))
);

-- Name: procrastinate_fetch_job_v2(character varying[], bigint); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS public.procrastinate_jobs
    LANGUAGE plpgsql
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

 RETURN found_jobs;
END;
$$;

-- Name: procrastinate_finish_job_v1(bigint, public.procrastinate_job_status, boolean); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_finish_job_v1(job_id bigint, end_status public.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;

-- Name: procrastinate_notify_queue_abort_job_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

-- Name: procrastinate_notify_queue_job_inserted_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

-- Name: procrastinate_prune_stalled_workers_v1(double precision); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;

-- Name: procrastinate_register_worker_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;

-- Name: procrastinate_retry_job_v1(bigint, timestamp with time zone, integer, character varying, character varying); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;

-- Name: procrastinate_retry_job_v2(bigint, timestamp with time zone, integer, character varying, character varying); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;

END;
$$;

-- Name: procrastinate_trigger_abort_requested_events_procedure_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;

-- Name: procrastinate_trigger_function_scheduled_events_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);

	RETURN NEW;
END;
$$;

-- Name: procrastinate_trigger_function_status_events_insert_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;

-- Name: procrastinate_trigger_function_status_events_update_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;

-- Name: procrastinate_unlink_periodic_defers_v1(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;

-- Name: procrastinate_unregister_worker_v1(bigint); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;

-- Name: procrastinate_update_heartbeat_v1(bigint); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;

-- Name: somebody_was_erased(bigint); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.somebody_was_erased(lock bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    RETURN EXISTS (SELECT FROM erased_identities);
END $$;

-- Name: stock_adopt(bigint, bigint, smallint[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_adopt(p_old bigint, p_new bigint, p_line smallint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE reservation SET state = 'released' WHERE id = p_new;
    UPDATE reservation SET state = 'confirmed', expires_at = NULL WHERE id = p_old;
    UPDATE reservation_line SET reservation_id = p_old, line = p_line[line + 1], position = position + 1 + (
        SELECT max(position) FROM reservation_line WHERE reservation_id = p_old) WHERE reservation_id = p_new;
END $$;

-- Name: stock_backfill(bigint[], text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_backfill(p_variants bigint[], p_actor text) RETURNS integer
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_beyond(bigint, boolean, integer, integer, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_beyond(p_variant bigint, p_backorder boolean, p_horizon_days integer, p_limit integer, p_now timestamp with time zone) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    SELECT (CASE WHEN p_backorder THEN p_limit ELSE 0 END + CASE WHEN p_horizon_days > 0 THEN coalesce((
        SELECT sum(quantity - received_quantity) FROM expected_receipts
        WHERE variant_id = p_variant AND state = 'expected'
          AND expected_at <= p_now + make_interval(days => p_horizon_days)), 0) ELSE 0 END)::int
$$;

-- Name: stock_close(text, bigint[], smallint[], integer[], text, text[], text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_close(p_kind text, p_reservation bigint[], p_position smallint[], p_quantity integer[], p_actor text, p_reference text[], p_reason text) RETURNS integer[]
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_confirm(bigint[], text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_confirm(p_reservations bigint[], p_actor text, p_reference text) RETURNS bigint[]
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_count(bigint[], bigint[], bigint[], integer[], integer[], integer[], integer[], integer[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_count(p_variant bigint[], p_location bigint[], p_channel bigint[], p_on_hand integer[], p_reserved integer[], p_allocated integer[], p_fence integer[], p_backordered integer[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_expire(bigint[], integer); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_expire(p_variants bigint[], p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

-- Name: stock_lock(bigint[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_lock(p_variants bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Stock is written at READ COMMITTED: a later statement must see what a waited-for lock let in.';
    END IF;
    PERFORM FROM stock_pool WHERE variant_id = ANY (p_variants) ORDER BY variant_id FOR UPDATE;
END $$;

-- Name: stock_make_room(bigint, bigint, integer, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_make_room(p_variant bigint, p_location bigint, p_units integer, p_actor text, p_reason text) RETURNS integer
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_mark_due(bigint[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_mark_due(p_variants bigint[]) RETURNS void
    LANGUAGE sql
    AS $$
    INSERT INTO due_changes AS due (listing_id, what, version, settled_version, claimed_version, attempts, last_error)
    SELECT listing.id, 'stock', 1, 0, 0, 0, ''
    FROM (SELECT unnest(p_variants) AS id
          UNION SELECT bundle_id FROM bundle_components WHERE component_id = ANY (p_variants)) variant
    CROSS JOIN LATERAL (SELECT id FROM channel_products WHERE variant_id = variant.id OFFSET 0) listing
    ORDER BY listing.id
    ON CONFLICT (listing_id, what) DO UPDATE SET version = due.version + 1, due_since = statement_timestamp()
        WHERE due.version <= greatest(due.settled_version, due.claimed_version)
$$;

-- Name: stock_move_promise(bigint, smallint, bigint, integer, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_move_promise(p_reservation bigint, p_position smallint, p_location bigint, p_units integer, p_actor text, p_reason text) RETURNS integer
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_note(text, bigint, bigint, bigint, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_note(p_kind text, p_variant bigint, p_location bigint, p_channel bigint, p_actor text, p_reason text) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT stock_post(ARRAY[p_kind], ARRAY[p_variant], ARRAY[p_location], ARRAY[p_channel], ARRAY[0], ARRAY[0], ARRAY[0],
                      ARRAY[0], ARRAY[0], ARRAY[NULL::bigint], ARRAY[''], p_actor, ARRAY[left(p_reason, 200)])
$$;

-- Name: stock_open_pools(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_open_pools() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO stock_pool (variant_id) SELECT id FROM added ORDER BY id ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- Name: stock_post(text[], bigint[], bigint[], bigint[], integer[], integer[], integer[], integer[], integer[], bigint[], text[], text, text[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_post(p_kind text[], p_variant bigint[], p_location bigint[], p_channel bigint[], p_on_hand integer[], p_reserved integer[], p_allocated integer[], p_fence integer[], p_backordered integer[], p_reservation bigint[], p_reference text[], p_actor text, p_reason text[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_post_taken(integer, integer[], integer[], integer[], integer[], integer[], bigint[], integer[], bigint[], bigint[], bigint[], text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_post_taken(p_n integer, t_request integer[], t_item integer[], t_slot integer[], t_quantity integer[], t_fence integer[], p_id bigint[], p_mode integer[], i_location bigint[], s_variant bigint[], s_channel bigint[], p_actor text) RETURNS void
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_refuse_change(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'The stock ledger is append-only: % on % is refused. Correct a movement with another movement.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Name: stock_reserve(text[], bigint[], bigint[], integer[], integer[], bigint[], integer[], bigint[], integer[], text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_reserve(p_key text[], p_hash bigint[], p_channel bigint[], p_mode integer[], p_hold_seconds integer[], p_location bigint[], p_line_request integer[], p_line_variant bigint[], p_line_quantity integer[], p_actor text) RETURNS TABLE(verdict text[], reservation bigint[], available integer[], reason text[])
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_set_backorder_limit(bigint, integer, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_set_backorder_limit(p_variant bigint, p_units integer, p_actor text, p_reason text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

-- Name: stock_set_safety(bigint, bigint, integer, text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_set_safety(p_variant bigint, p_location bigint, p_units integer, p_actor text, p_reason text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

-- Name: stock_touch(bigint[]); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_touch(p_variants bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM stock_lock(p_variants);
    UPDATE stock_pool SET alerts_due = true WHERE variant_id = ANY (p_variants) AND NOT alerts_due;
    PERFORM stock_mark_due(p_variants);
END $$;

-- Name: stock_trim_fences(bigint[], text, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_trim_fences(p_variants bigint[], p_actor text, p_reason text) RETURNS void
    LANGUAGE sql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_write_holds(integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[], integer[], bigint[], integer[], integer[], bigint[], bigint[], bigint[], bigint[], timestamp with time zone, text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_write_holds(p_n integer, t_request integer[], t_line integer[], t_position integer[], t_item integer[], t_slot integer[], t_quantity integer[], t_fence integer[], t_lending integer[], p_id bigint[], p_mode integer[], p_hold_seconds integer[], p_location bigint[], i_location bigint[], s_variant bigint[], s_channel bigint[], p_now timestamp with time zone, p_actor text) RETURNS void
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

-- Name: stock_write_reservations(bigint[], text[], text[], bigint[], bigint[], integer[], integer[], bigint[], timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.stock_write_reservations(p_id bigint[], p_verdict text[], p_key text[], p_hash bigint[], p_channel bigint[], p_mode integer[], p_hold_seconds integer[], p_location bigint[], p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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

-- Name: action_policies; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.action_policies (
    id bigint NOT NULL,
    version integer NOT NULL,
    state jsonb NOT NULL,
    learned_rows integer NOT NULL,
    is_trusted boolean NOT NULL,
    verdict character varying(500) NOT NULL,
    figures jsonb NOT NULL,
    evaluated_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT action_policies_learned_rows_check CHECK ((learned_rows >= 0)),
    CONSTRAINT action_policies_version_check CHECK ((version >= 0))
);

-- Name: action_policies_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.action_policies ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.action_policies_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: advice_refreshes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.advice_refreshes (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    touches integer NOT NULL,
    pairs integer NOT NULL,
    CONSTRAINT advice_refreshes_pairs_check CHECK ((pairs >= 0)),
    CONSTRAINT advice_refreshes_touches_check CHECK ((touches >= 0))
);

-- Name: advice_refreshes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.advice_refreshes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.advice_refreshes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: agent_doors; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.agent_doors (
    id bigint NOT NULL,
    request_secret bytea,
    links jsonb NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    endpoint_id bigint,
    payment_id bigint,
    sales_channel_id bigint NOT NULL
);

-- Name: agent_doors_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.agent_doors ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.agent_doors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: agent_sessions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.agent_sessions (
    id bigint NOT NULL,
    token uuid NOT NULL,
    kind character varying(8) NOT NULL,
    state character varying(9) NOT NULL,
    key_name character varying(80) NOT NULL,
    buyer jsonb NOT NULL,
    details jsonb NOT NULL,
    option character varying(120) NOT NULL,
    notes character varying(5000) NOT NULL,
    locale character varying(35) NOT NULL,
    attribution jsonb NOT NULL,
    shown_total numeric(16,4),
    attempts integer NOT NULL,
    encrypted bytea,
    paying_until timestamp with time zone,
    trouble character varying(40) NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    cart_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL,
    completing_call character varying(64) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT agent_sessions_attempts_check CHECK ((attempts >= 0))
);

-- Name: agent_sessions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.agent_sessions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.agent_sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: analytics_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.analytics_changes (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    sales_channel_id bigint,
    day date,
    customer_id bigint,
    order_id bigint,
    at timestamp with time zone,
    noted_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

-- Name: analytics_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.analytics_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.analytics_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: api_audit; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.api_audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    operation character varying(60) NOT NULL,
    subject character varying(100) NOT NULL,
    status smallint NOT NULL,
    key_id bigint NOT NULL,
    CONSTRAINT api_audit_status_check CHECK ((status >= 0))
);

-- Name: api_audit_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.api_audit ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: api_idempotent_calls; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.api_idempotent_calls (
    id bigint NOT NULL,
    family uuid NOT NULL,
    token character varying(255) NOT NULL,
    digest character varying(64) NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT api_idempotent_calls_status_check CHECK ((status >= 0))
);

-- Name: api_idempotent_calls_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.api_idempotent_calls ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_idempotent_calls_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: api_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.api_keys (
    id bigint NOT NULL,
    name character varying(80) NOT NULL,
    prefix character varying(12) NOT NULL,
    digest character varying(64) NOT NULL,
    family uuid NOT NULL,
    scopes character varying(40)[] NOT NULL,
    channel_ids bigint[] NOT NULL,
    calls_per_minute integer NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_by character varying(100) NOT NULL,
    expires_at timestamp with time zone,
    ends_at timestamp with time zone,
    last_used_at timestamp with time zone,
    replaced_by_id bigint,
    CONSTRAINT api_keys_calls_per_minute_check CHECK ((calls_per_minute >= 0))
);

-- Name: api_keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.api_keys ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_group; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);

-- Name: auth_group_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_group_permissions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);

-- Name: auth_group_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_permission; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);

-- Name: auth_permission_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_user; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_user (
    id integer NOT NULL,
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    username character varying(150) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL
);

-- Name: auth_user_groups; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_user_groups (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    group_id integer NOT NULL
);

-- Name: auth_user_groups_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_user_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_user_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: auth_user_user_permissions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.auth_user_user_permissions (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    permission_id integer NOT NULL
);

-- Name: auth_user_user_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.auth_user_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_user_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: best_sellers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.best_sellers (
    id bigint NOT NULL,
    place smallint NOT NULL,
    score double precision NOT NULL,
    sales_channel_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT best_sellers_place_check CHECK ((place >= 0))
);

-- Name: best_sellers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.best_sellers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.best_sellers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: blocked_identities; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.blocked_identities (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    value character varying(320) NOT NULL,
    is_blocked boolean NOT NULL,
    reason character varying(300) NOT NULL,
    actor character varying(100) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT blocked_identities_not_empty CHECK ((NOT ((value)::text = ''::text)))
);

-- Name: blocked_identities_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.blocked_identities ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.blocked_identities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: bundle_components; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.bundle_components (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    bundle_id bigint NOT NULL,
    component_id bigint NOT NULL,
    CONSTRAINT bundle_components_quantity CHECK ((quantity > 0)),
    CONSTRAINT bundle_components_quantity_check CHECK ((quantity >= 0)),
    CONSTRAINT bundle_not_in_itself CHECK ((NOT (bundle_id = component_id)))
);

-- Name: bundle_components_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.bundle_components ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.bundle_components_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: cart_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.cart_lines (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    cart_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    unit_price numeric(16,4),
    currency character varying(3) DEFAULT ''::character varying NOT NULL,
    changed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT cart_lines_quantity_check CHECK ((quantity >= 0))
);

-- Name: cart_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.cart_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.cart_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: carts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.carts (
    id bigint NOT NULL,
    token uuid NOT NULL,
    reservation_key character varying(200) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    customer_id bigint,
    sales_channel_id bigint NOT NULL,
    order_id bigint,
    is_own_only boolean DEFAULT false NOT NULL
);

-- Name: carts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.carts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.carts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: categories; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.categories (
    id bigint NOT NULL,
    name character varying(200) NOT NULL,
    slug character varying(200) NOT NULL,
    parent_id bigint
);

-- Name: categories_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.categories ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.categories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_analytics; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_analytics (
    id bigint NOT NULL,
    date date NOT NULL,
    currency character varying(3) NOT NULL,
    orders_count integer NOT NULL,
    revenue numeric(16,4) NOT NULL,
    refunds numeric(16,4) NOT NULL,
    net_revenue numeric(16,4) NOT NULL,
    average_order_value numeric(16,4),
    unique_customers integer NOT NULL,
    new_customers integer NOT NULL,
    returning_customers integer NOT NULL,
    sessions integer NOT NULL,
    ordering_sessions integer NOT NULL,
    conversion_rate numeric(7,6),
    units_sold integer NOT NULL,
    units_returned integer NOT NULL,
    return_rate numeric(7,6),
    customer_count integer NOT NULL,
    sales_channel_id bigint NOT NULL,
    arrived_customers integer DEFAULT 0 NOT NULL,
    channel_rate numeric(24,12),
    merchant_average_order_value numeric(20,4),
    merchant_currency character varying(3) DEFAULT ''::character varying NOT NULL,
    merchant_net_revenue numeric(20,4),
    merchant_rate numeric(24,12),
    merchant_refunds numeric(20,4),
    merchant_revenue numeric(20,4),
    CONSTRAINT channel_analytics_arrived_customers_check CHECK ((arrived_customers >= 0)),
    CONSTRAINT channel_analytics_customer_count_check CHECK ((customer_count >= 0)),
    CONSTRAINT channel_analytics_new_customers_check CHECK ((new_customers >= 0)),
    CONSTRAINT channel_analytics_ordering_sessions_check CHECK ((ordering_sessions >= 0)),
    CONSTRAINT channel_analytics_orders_count_check CHECK ((orders_count >= 0)),
    CONSTRAINT channel_analytics_returning_customers_check CHECK ((returning_customers >= 0)),
    CONSTRAINT channel_analytics_sessions_check CHECK ((sessions >= 0)),
    CONSTRAINT channel_analytics_unique_customers_check CHECK ((unique_customers >= 0)),
    CONSTRAINT channel_analytics_units_returned_check CHECK ((units_returned >= 0)),
    CONSTRAINT channel_analytics_units_sold_check CHECK ((units_sold >= 0))
);

-- Name: channel_analytics_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_analytics ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_analytics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_integrations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_integrations (
    id bigint NOT NULL,
    platform_name character varying(60) NOT NULL,
    integration_type character varying(16) NOT NULL,
    account_label character varying(100) NOT NULL,
    status character varying(16) NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    sales_channel_id bigint,
    account_name character varying(200) NOT NULL,
    base_url character varying(300) NOT NULL,
    connected_at timestamp with time zone,
    push_from timestamp with time zone,
    status_reason character varying(500) NOT NULL,
    webhook_token character varying(64) NOT NULL,
    subscribed_at timestamp with time zone,
    duties jsonb DEFAULT '{}'::jsonb NOT NULL
);

-- Name: channel_integrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_integrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_integrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_interactions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_interactions (
    id bigint CONSTRAINT interactions_by_month_id_not_null NOT NULL,
    customer_id bigint CONSTRAINT interactions_by_month_customer_id_not_null NOT NULL,
    sales_channel_id bigint CONSTRAINT interactions_by_month_sales_channel_id_not_null NOT NULL,
    journey_id bigint,
    interaction_type character varying(18) CONSTRAINT interactions_by_month_interaction_type_not_null NOT NULL,
    value_score smallint CONSTRAINT interactions_by_month_value_score_not_null NOT NULL,
    context jsonb CONSTRAINT interactions_by_month_context_not_null NOT NULL,
    message_id character varying(100) CONSTRAINT interactions_by_month_message_id_not_null NOT NULL,
    occurred_at timestamp with time zone CONSTRAINT interactions_by_month_occurred_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() CONSTRAINT interactions_by_month_received_at_not_null NOT NULL
)
PARTITION BY RANGE (occurred_at);

-- Name: interaction_ids; Type: SEQUENCE; Schema: public; Owner: -

CREATE SEQUENCE public.interaction_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: interaction_ids; Type: SEQUENCE OWNED BY; Schema: public; Owner: -

ALTER SEQUENCE public.interaction_ids OWNED BY public.channel_interactions.id;

-- Name: channel_interactions_202611; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_interactions_202611 (
    id bigint DEFAULT nextval('public.interaction_ids'::regclass) CONSTRAINT interactions_by_month_id_not_null NOT NULL,
    customer_id bigint CONSTRAINT interactions_by_month_customer_id_not_null NOT NULL,
    sales_channel_id bigint CONSTRAINT interactions_by_month_sales_channel_id_not_null NOT NULL,
    journey_id bigint,
    interaction_type character varying(18) CONSTRAINT interactions_by_month_interaction_type_not_null NOT NULL,
    value_score smallint CONSTRAINT interactions_by_month_value_score_not_null NOT NULL,
    context jsonb CONSTRAINT interactions_by_month_context_not_null NOT NULL,
    message_id character varying(100) CONSTRAINT interactions_by_month_message_id_not_null NOT NULL,
    occurred_at timestamp with time zone CONSTRAINT interactions_by_month_occurred_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() CONSTRAINT interactions_by_month_received_at_not_null NOT NULL
);

-- Name: channel_interactions_202612; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_interactions_202612 (
    id bigint DEFAULT nextval('public.interaction_ids'::regclass) CONSTRAINT interactions_by_month_id_not_null NOT NULL,
    customer_id bigint CONSTRAINT interactions_by_month_customer_id_not_null NOT NULL,
    sales_channel_id bigint CONSTRAINT interactions_by_month_sales_channel_id_not_null NOT NULL,
    journey_id bigint,
    interaction_type character varying(18) CONSTRAINT interactions_by_month_interaction_type_not_null NOT NULL,
    value_score smallint CONSTRAINT interactions_by_month_value_score_not_null NOT NULL,
    context jsonb CONSTRAINT interactions_by_month_context_not_null NOT NULL,
    message_id character varying(100) CONSTRAINT interactions_by_month_message_id_not_null NOT NULL,
    occurred_at timestamp with time zone CONSTRAINT interactions_by_month_occurred_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() CONSTRAINT interactions_by_month_received_at_not_null NOT NULL
);

-- Name: channel_interactions_202701; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_interactions_202701 (
    id bigint DEFAULT nextval('public.interaction_ids'::regclass) CONSTRAINT interactions_by_month_id_not_null NOT NULL,
    customer_id bigint CONSTRAINT interactions_by_month_customer_id_not_null NOT NULL,
    sales_channel_id bigint CONSTRAINT interactions_by_month_sales_channel_id_not_null NOT NULL,
    journey_id bigint,
    interaction_type character varying(18) CONSTRAINT interactions_by_month_interaction_type_not_null NOT NULL,
    value_score smallint CONSTRAINT interactions_by_month_value_score_not_null NOT NULL,
    context jsonb CONSTRAINT interactions_by_month_context_not_null NOT NULL,
    message_id character varying(100) CONSTRAINT interactions_by_month_message_id_not_null NOT NULL,
    occurred_at timestamp with time zone CONSTRAINT interactions_by_month_occurred_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() CONSTRAINT interactions_by_month_received_at_not_null NOT NULL
);

-- Name: channel_inventories; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_inventories (
    id bigint NOT NULL,
    uses_pool boolean DEFAULT true NOT NULL,
    fence_quantity integer DEFAULT 0 NOT NULL,
    fence_left integer DEFAULT 0 NOT NULL,
    cap integer,
    percent integer,
    buffer integer DEFAULT 0 NOT NULL,
    lends boolean DEFAULT false NOT NULL,
    borrows boolean DEFAULT false NOT NULL,
    allows_backorder boolean DEFAULT false NOT NULL,
    incoming_horizon_days integer DEFAULT 0 NOT NULL,
    used integer DEFAULT 0 NOT NULL,
    low_stock_threshold integer,
    told_quantity integer,
    told_version bigint,
    told_at timestamp with time zone,
    echo_quantity integer,
    echoed_at timestamp with time zone,
    sales_channel_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT channel_inventories_cap CHECK (((cap IS NULL) OR (cap >= 0))),
    CONSTRAINT channel_inventories_not_negative CHECK (((buffer >= 0) AND (fence_left >= 0) AND (fence_quantity >= 0) AND (used >= 0) AND (incoming_horizon_days >= 0))),
    CONSTRAINT channel_inventories_percent CHECK (((percent IS NULL) OR ((percent >= 0) AND (percent <= 100))))
)
WITH (fillfactor='70');

-- Name: channel_inventories_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_inventories ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_inventories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_preferences; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_preferences (
    id bigint NOT NULL,
    preferences jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    sales_channel_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    said jsonb DEFAULT '{}'::jsonb NOT NULL
);

-- Name: channel_preferences_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_preferences ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_preferences_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_products; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_products (
    id bigint NOT NULL,
    is_available boolean NOT NULL,
    publish_from timestamp with time zone,
    publish_until timestamp with time zone,
    title character varying(500) NOT NULL,
    description text NOT NULL,
    attributes jsonb NOT NULL,
    sync_state character varying(10) NOT NULL,
    sync_error character varying(500) NOT NULL,
    synced_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    variant_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL,
    CONSTRAINT channel_products_window CHECK (((publish_from IS NULL) OR (publish_until IS NULL) OR (publish_until > publish_from)))
);

-- Name: channel_products_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_products ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_products_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_sources; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.channel_sources (
    id bigint NOT NULL,
    rank integer NOT NULL,
    sales_channel_id bigint NOT NULL,
    location_id bigint NOT NULL,
    CONSTRAINT channel_sources_rank_check CHECK ((rank >= 0))
);

-- Name: channel_sources_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.channel_sources ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.channel_sources_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: chat_answers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.chat_answers (
    id bigint NOT NULL,
    conversation character varying(200) NOT NULL,
    message character varying(200) NOT NULL,
    author character varying(10) NOT NULL,
    question character varying(500) NOT NULL,
    answer text NOT NULL,
    state character varying(7) NOT NULL,
    attempts integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    last_error character varying(300) NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    CONSTRAINT chat_answers_attempts_check CHECK ((attempts >= 0))
);

-- Name: chat_answers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.chat_answers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.chat_answers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: chat_talks; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.chat_talks (
    id bigint NOT NULL,
    conversation character varying(200) NOT NULL,
    address character varying(320) NOT NULL,
    known_until timestamp with time zone,
    offer jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    customer_id bigint,
    integration_id bigint NOT NULL
);

-- Name: chat_talks_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.chat_talks ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.chat_talks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: consents; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.consents (
    id bigint NOT NULL,
    purpose character varying(50) NOT NULL,
    is_granted boolean NOT NULL,
    source character varying(100) NOT NULL,
    proof jsonb NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sales_channel_id bigint,
    customer_id bigint NOT NULL
);

-- Name: consents_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.consents ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.consents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: credentials; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.credentials (
    id bigint NOT NULL,
    name character varying(60) NOT NULL,
    encrypted bytea NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    integration_id bigint NOT NULL
);

-- Name: credentials_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.credentials ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.credentials_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: cross_channel_journeys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.cross_channel_journeys (
    id bigint NOT NULL,
    intent character varying(8) NOT NULL,
    state character varying(9) NOT NULL,
    outcome character varying(50) NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    customer_id bigint NOT NULL,
    order_id bigint,
    start_channel_id bigint NOT NULL,
    is_recognised boolean NOT NULL,
    reason character varying(200) NOT NULL,
    step character varying(18) NOT NULL,
    visits integer NOT NULL,
    score integer NOT NULL,
    value numeric(16,4),
    currency character varying(3) NOT NULL,
    last_touch_at timestamp with time zone,
    closes_at timestamp with time zone,
    CONSTRAINT cross_channel_journeys_visits_check CHECK ((visits >= 0)),
    CONSTRAINT journeys_numbered CHECK ((((id >= '1000000000000'::bigint) AND is_recognised) OR ((id < '1000000000000'::bigint) AND (NOT is_recognised))))
);

-- Name: cross_channel_journeys_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.cross_channel_journeys ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.cross_channel_journeys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: customer_identities; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.customer_identities (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    value character varying(320) NOT NULL,
    source character varying(100) NOT NULL,
    evidence jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    customer_id bigint NOT NULL,
    is_anchor boolean DEFAULT false NOT NULL,
    CONSTRAINT customer_identities_not_empty CHECK ((NOT ((value)::text = ''::text)))
);

-- Name: customer_identities_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.customer_identities ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.customer_identities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: customer_merges; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.customer_merges (
    id bigint NOT NULL,
    kind character varying(4) NOT NULL,
    decision uuid NOT NULL,
    actor character varying(100) NOT NULL,
    reason character varying(500) NOT NULL,
    source character varying(100) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    undone_at timestamp with time zone,
    undone_by character varying(100) NOT NULL,
    first_id bigint NOT NULL,
    second_id bigint NOT NULL,
    undone_for uuid,
    CONSTRAINT customer_merges_in_order CHECK ((first_id < second_id))
);

-- Name: customer_merges_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.customer_merges ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.customer_merges_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: omnichannel_customers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.omnichannel_customers (
    id bigint NOT NULL,
    name character varying(300) NOT NULL,
    email character varying(320) NOT NULL,
    phone character varying(20) NOT NULL,
    country character varying(2) NOT NULL,
    language character varying(12) NOT NULL,
    segment character varying(12) NOT NULL,
    attributes jsonb NOT NULL,
    first_seen_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    merged_into_id bigint,
    user_id integer,
    erased_at timestamp with time zone,
    CONSTRAINT customer_not_into_itself CHECK ((NOT ((merged_into_id = id) AND (merged_into_id IS NOT NULL))))
);

-- Name: customer_persons; Type: VIEW; Schema: public; Owner: -

CREATE VIEW public.customer_persons AS
 SELECT id,
    COALESCE(NULLIF((name)::text, ''::text), (( SELECT member.name
           FROM public.omnichannel_customers member
          WHERE ((member.merged_into_id = person.id) AND ((member.name)::text <> ''::text))
          ORDER BY member.id
         LIMIT 1))::text, ''::text) AS name,
    COALESCE(NULLIF((email)::text, ''::text), (( SELECT member.email
           FROM public.omnichannel_customers member
          WHERE ((member.merged_into_id = person.id) AND ((member.email)::text <> ''::text))
          ORDER BY member.id
         LIMIT 1))::text, ''::text) AS email,
    COALESCE(NULLIF((phone)::text, ''::text), (( SELECT member.phone
           FROM public.omnichannel_customers member
          WHERE ((member.merged_into_id = person.id) AND ((member.phone)::text <> ''::text))
          ORDER BY member.id
         LIMIT 1))::text, ''::text) AS phone,
    COALESCE(NULLIF((country)::text, ''::text), (( SELECT member.country
           FROM public.omnichannel_customers member
          WHERE ((member.merged_into_id = person.id) AND ((member.country)::text <> ''::text))
          ORDER BY member.id
         LIMIT 1))::text, ''::text) AS country,
    COALESCE(NULLIF((language)::text, ''::text), (( SELECT member.language
           FROM public.omnichannel_customers member
          WHERE ((member.merged_into_id = person.id) AND ((member.language)::text <> ''::text))
          ORDER BY member.id
         LIMIT 1))::text, ''::text) AS language,
    ( SELECT member.segment
           FROM public.omnichannel_customers member
          WHERE ((member.id = person.id) OR (member.merged_into_id = person.id))
          ORDER BY (array_position(ARRAY['vip'::text, 'high_value'::text, 'regular'::text, 'new'::text, 'prospect'::text], (member.segment)::text)), member.id
         LIMIT 1) AS segment,
    LEAST(first_seen_at, ( SELECT min(member.first_seen_at) AS min
           FROM public.omnichannel_customers member
          WHERE (member.merged_into_id = person.id))) AS first_seen_at
   FROM public.omnichannel_customers person
  WHERE (merged_into_id IS NULL);

-- Name: customer_values; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.customer_values (
    person_id bigint NOT NULL,
    computed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    currency character varying(3) NOT NULL,
    orders integer NOT NULL,
    order_days integer NOT NULL,
    first_order_on date NOT NULL,
    last_order_on date NOT NULL,
    value numeric(20,4) NOT NULL,
    value_year numeric(20,4) NOT NULL,
    repeat_mean numeric(20,4),
    unpriced_orders integer NOT NULL,
    recency_score smallint NOT NULL,
    frequency_score smallint NOT NULL,
    monetary_score smallint NOT NULL,
    alive double precision,
    expected_orders double precision,
    expected_value numeric(20,4),
    expected_low numeric(20,4),
    expected_high numeric(20,4),
    lifetime_value numeric(20,4) NOT NULL,
    model_id bigint,
    CONSTRAINT customer_values_frequency_score_check CHECK ((frequency_score >= 0)),
    CONSTRAINT customer_values_monetary_score_check CHECK ((monetary_score >= 0)),
    CONSTRAINT customer_values_order_days_check CHECK ((order_days >= 0)),
    CONSTRAINT customer_values_orders_check CHECK ((orders >= 0)),
    CONSTRAINT customer_values_recency_score_check CHECK ((recency_score >= 0)),
    CONSTRAINT customer_values_unpriced_orders_check CHECK ((unpriced_orders >= 0))
);

-- Name: dead_letters; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    stream character varying(30) NOT NULL,
    reason character varying(500) NOT NULL,
    payload jsonb NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    settled_at timestamp with time zone,
    integration_id bigint NOT NULL,
    attempts integer NOT NULL,
    external_id character varying(200) NOT NULL,
    settled_by character varying(100) NOT NULL,
    CONSTRAINT dead_letters_attempts_check CHECK ((attempts >= 0))
);

-- Name: dead_letters_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: demand_forecasts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.demand_forecasts (
    id bigint NOT NULL,
    last_day date NOT NULL,
    rate double precision NOT NULL,
    slope double precision NOT NULL,
    week_sd double precision NOT NULL,
    growth double precision NOT NULL,
    profile jsonb NOT NULL,
    method character varying(20) NOT NULL,
    mase double precision,
    known_days integer NOT NULL,
    silent_days integer NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    location_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT demand_forecasts_known_days_check CHECK ((known_days >= 0)),
    CONSTRAINT demand_forecasts_silent_days_check CHECK ((silent_days >= 0))
);

-- Name: demand_forecasts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.demand_forecasts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.demand_forecasts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: django_admin_log; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.django_admin_log (
    id integer NOT NULL,
    action_time timestamp with time zone NOT NULL,
    object_id text,
    object_repr character varying(200) NOT NULL,
    action_flag smallint NOT NULL,
    change_message text NOT NULL,
    content_type_id integer,
    user_id integer NOT NULL,
    CONSTRAINT django_admin_log_action_flag_check CHECK ((action_flag >= 0))
);

-- Name: django_admin_log_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.django_admin_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_admin_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: django_content_type; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

-- Name: django_content_type_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: django_migrations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

-- Name: django_migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: django_session; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);

-- Name: drift_findings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.drift_findings (
    id bigint NOT NULL,
    location character varying(200) NOT NULL,
    told integer,
    shown integer NOT NULL,
    should integer NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    listing_id bigint NOT NULL,
    run_id bigint NOT NULL
);

-- Name: drift_findings_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.drift_findings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.drift_findings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: due_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.due_changes (
    id bigint NOT NULL,
    what character varying(7) NOT NULL,
    version bigint NOT NULL,
    settled_version bigint NOT NULL,
    claimed_version bigint NOT NULL,
    claimed_until timestamp with time zone,
    attempts integer NOT NULL,
    last_error character varying(500) NOT NULL,
    due_since timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    listing_id bigint NOT NULL,
    integration_id bigint,
    CONSTRAINT due_changes_attempts_check CHECK ((attempts >= 0))
)
WITH (fillfactor='70');

-- Name: due_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.due_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.due_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: due_events; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.due_events (
    id bigint NOT NULL,
    kind character varying(12) NOT NULL,
    local_id bigint NOT NULL,
    key character varying(100) NOT NULL,
    state character varying(8) DEFAULT 'due'::character varying NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_error character varying(500) DEFAULT ''::character varying NOT NULL,
    found_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sent_at timestamp with time zone,
    integration_id bigint NOT NULL,
    verified_at timestamp with time zone,
    CONSTRAINT due_events_attempts_check CHECK ((attempts >= 0))
);

-- Name: due_events_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.due_events ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.due_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: due_notices; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.due_notices (
    id bigint NOT NULL,
    kind character varying(13) NOT NULL,
    local_id bigint NOT NULL,
    key character varying(100) NOT NULL,
    state character varying(8) NOT NULL,
    external_id character varying(200) NOT NULL,
    attempts integer NOT NULL,
    next_try_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_error character varying(500) NOT NULL,
    found_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sent_at timestamp with time zone,
    integration_id bigint NOT NULL,
    verified_at timestamp with time zone,
    refusals integer DEFAULT 0 NOT NULL,
    CONSTRAINT due_notices_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT due_notices_refusals_check CHECK ((refusals >= 0))
);

-- Name: due_notices_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.due_notices ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.due_notices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: due_records; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.due_records (
    id bigint NOT NULL,
    what character varying(8) NOT NULL,
    local_id bigint NOT NULL,
    version bigint NOT NULL,
    settled_version bigint DEFAULT 0 NOT NULL,
    external_id character varying(200) DEFAULT ''::character varying NOT NULL,
    line_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    digest character varying(64) DEFAULT ''::character varying NOT NULL,
    is_doubtful boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_error character varying(500) DEFAULT ''::character varying NOT NULL,
    told_at timestamp with time zone,
    integration_id bigint NOT NULL,
    verified_at timestamp with time zone,
    echoes jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT due_records_attempts_check CHECK ((attempts >= 0))
);

-- Name: due_records_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.due_records ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.due_records_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: erased_identities; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.erased_identities (
    id bigint NOT NULL,
    digest character varying(64) NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    came_back_at timestamp with time zone,
    customer_id bigint NOT NULL
);

-- Name: erased_identities_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.erased_identities ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.erased_identities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: event_names; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.event_names (
    id bigint NOT NULL,
    name character varying(200) NOT NULL,
    becomes character varying(18) NOT NULL,
    count bigint NOT NULL,
    first_seen_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sales_channel_id bigint NOT NULL
);

-- Name: event_names_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.event_names ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.event_names_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: events_set_aside; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.events_set_aside (
    id bigint NOT NULL,
    dialect character varying(20) NOT NULL,
    reason character varying(300) NOT NULL,
    message_id character varying(100) NOT NULL,
    payload jsonb NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sales_channel_id bigint NOT NULL
);

-- Name: events_set_aside_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.events_set_aside ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.events_set_aside_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: exchange_rates; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.exchange_rates (
    id bigint NOT NULL,
    base character varying(3) NOT NULL,
    quote character varying(3) NOT NULL,
    date date NOT NULL,
    rate numeric(20,10) NOT NULL,
    CONSTRAINT exchange_rates_possible CHECK (((rate > (0)::numeric) AND (NOT ((base)::text = (quote)::text))))
);

-- Name: exchange_rates_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.exchange_rates ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.exchange_rates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: expected_receipts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.expected_receipts (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    received_quantity integer NOT NULL,
    expected_at timestamp with time zone NOT NULL,
    supplier character varying(200) NOT NULL,
    reference character varying(100) NOT NULL,
    state character varying(10) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    variant_id bigint NOT NULL,
    location_id bigint NOT NULL,
    CONSTRAINT expected_receipts_quantity_check CHECK ((quantity >= 0)),
    CONSTRAINT expected_receipts_received_quantity_check CHECK ((received_quantity >= 0))
);

-- Name: expected_receipts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.expected_receipts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.expected_receipts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: external_ids; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.external_ids (
    id bigint NOT NULL,
    kind character varying(30) NOT NULL,
    external_id character varying(200) NOT NULL,
    local_id bigint NOT NULL,
    integration_id bigint NOT NULL,
    version character varying(60) NOT NULL
);

-- Name: external_ids_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.external_ids ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.external_ids_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: fulfilment_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.fulfilment_lines (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    fulfilment_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    order_line_id bigint NOT NULL,
    CONSTRAINT fulfilment_lines_quantity_check CHECK ((quantity >= 0))
);

-- Name: fulfilment_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.fulfilment_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.fulfilment_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: fulfilments; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.fulfilments (
    id bigint NOT NULL,
    state character varying(10) NOT NULL,
    carrier character varying(60) NOT NULL,
    tracking_number character varying(100) NOT NULL,
    tracking_url character varying(500) NOT NULL,
    reason character varying(300) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    shipped_at timestamp with time zone,
    delivered_at timestamp with time zone,
    location_id bigint NOT NULL,
    order_id bigint NOT NULL
);

-- Name: fulfilments_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.fulfilments ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.fulfilments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: goods_affinities; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.goods_affinities (
    id bigint NOT NULL,
    place smallint NOT NULL,
    score double precision NOT NULL,
    together integer NOT NULL,
    other_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT goods_affinities_place_check CHECK ((place >= 0)),
    CONSTRAINT goods_affinities_together_check CHECK ((together >= 0))
);

-- Name: goods_affinities_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.goods_affinities ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.goods_affinities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: identity_limits; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.identity_limits (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    most_persons smallint NOT NULL,
    most_profiles smallint NOT NULL,
    CONSTRAINT identity_limits_most_persons_check CHECK ((most_persons >= 0)),
    CONSTRAINT identity_limits_most_profiles_check CHECK ((most_profiles >= 0))
);

-- Name: identity_limits_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.identity_limits ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.identity_limits_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: imported_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.imported_lines (
    id bigint NOT NULL,
    source character varying(60) NOT NULL,
    external_id character varying(200) NOT NULL,
    "position" integer NOT NULL,
    sales_channel_id bigint NOT NULL,
    CONSTRAINT imported_lines_position_check CHECK (("position" >= 0))
);

-- Name: imported_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.imported_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.imported_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: integration_health; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.integration_health (
    integration_id bigint NOT NULL,
    last_good_pull_at timestamp with time zone,
    last_good_push_at timestamp with time zone,
    last_failure_at timestamp with time zone,
    last_failure character varying(500) NOT NULL,
    failures_in_row integer NOT NULL,
    breaker_open_until timestamp with time zone,
    last_refused_webhook character varying(200) NOT NULL,
    last_refused_webhook_at timestamp with time zone,
    refused_webhook_count bigint NOT NULL,
    asked_to_wait_until timestamp with time zone,
    CONSTRAINT integration_health_failures_in_row_check CHECK ((failures_in_row >= 0))
);

-- Name: interaction_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys (
    sales_channel_id bigint NOT NULL,
    message_digest uuid NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone NOT NULL
)
PARTITION BY HASH (sales_channel_id, message_digest);

-- Name: interaction_keys_00; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_00 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_01; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_01 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_02; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_02 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_03; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_03 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_04; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_04 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_05; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_05 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_06; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_06 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_07; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_07 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_08; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_08 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_09; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_09 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_10; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_10 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_11; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_11 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_12; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_12 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_13; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_13 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_14; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_14 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: interaction_keys_15; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.interaction_keys_15 (
    sales_channel_id bigint CONSTRAINT interaction_keys_sales_channel_id_not_null NOT NULL,
    message_digest uuid CONSTRAINT interaction_keys_message_digest_not_null NOT NULL,
    interaction_id bigint,
    occurred_at timestamp with time zone CONSTRAINT interaction_keys_occurred_at_not_null NOT NULL
);

-- Name: item_links; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.item_links (
    id bigint NOT NULL,
    external_key character varying(200) NOT NULL,
    external_sku character varying(200) NOT NULL,
    ids jsonb NOT NULL,
    linked_by character varying(100) NOT NULL,
    linked_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    variant_id bigint NOT NULL
);

-- Name: item_links_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.item_links ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.item_links_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: journey_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.journey_changes (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    since timestamp with time zone NOT NULL
);

-- Name: journey_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.journey_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.journey_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: journey_marks; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.journey_marks (
    customer_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    version bigint NOT NULL
);

-- Name: journey_touchpoints; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.journey_touchpoints (
    id bigint NOT NULL,
    action character varying(50) NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    interaction_id bigint,
    journey_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL,
    visit integer NOT NULL,
    switched_from_id bigint,
    CONSTRAINT journey_touchpoints_visit_check CHECK ((visit >= 0))
);

-- Name: journey_touchpoints_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.journey_touchpoints ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.journey_touchpoints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: lake_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.lake_changes (
    id bigint NOT NULL,
    stream character varying(12) NOT NULL,
    day date NOT NULL
);

-- Name: lake_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.lake_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.lake_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: lake_state; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.lake_state (
    id bigint NOT NULL,
    token uuid NOT NULL,
    marks jsonb NOT NULL
);

-- Name: lake_state_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.lake_state ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.lake_state_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: listing_links; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.listing_links (
    id bigint NOT NULL,
    external_key character varying(200) NOT NULL,
    external_sku character varying(200) NOT NULL,
    ids jsonb NOT NULL,
    location character varying(200) NOT NULL,
    told_quantity integer,
    told_at timestamp with time zone,
    told_price numeric(14,4),
    shown_quantity integer,
    shown_at timestamp with time zone,
    is_doubtful boolean NOT NULL,
    linked_by character varying(100) NOT NULL,
    linked_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    listing_id bigint NOT NULL,
    told_places jsonb NOT NULL
);

-- Name: listing_links_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.listing_links ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.listing_links_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: listing_prices; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.listing_prices (
    id bigint NOT NULL,
    currency character varying(3) NOT NULL,
    amount numeric(14,4) NOT NULL,
    listing_id bigint NOT NULL,
    CONSTRAINT listing_prices_not_negative CHECK (((amount >= (0)::numeric) AND (amount < ('10000000000'::bigint)::numeric)))
);

-- Name: listing_prices_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.listing_prices ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.listing_prices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: live_of_alerts; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_alerts
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_bulk; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_bulk
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_customers; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_customers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_drafts; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_drafts
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_figures; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_figures
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_integrations; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_integrations
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_journeys; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_journeys
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_notices; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_notices
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_orders; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_orders
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_papers; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_papers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: live_of_stock; Type: SEQUENCE; Schema: public; Owner: -

CREATE UNLOGGED SEQUENCE public.live_of_stock
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: lost_steps; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.lost_steps (
    id bigint NOT NULL,
    action character varying(50) NOT NULL,
    since date NOT NULL,
    until date NOT NULL,
    came_by integer NOT NULL,
    "left" integer NOT NULL,
    ordered integer NOT NULL,
    chance double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    average_value numeric(16,4) NOT NULL,
    currency character varying(3) NOT NULL,
    lost_value numeric(16,2) NOT NULL,
    lost_low numeric(16,2) NOT NULL,
    lost_high numeric(16,2) NOT NULL,
    instead jsonb NOT NULL,
    reason character varying(1000) NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    muted_until timestamp with time zone,
    decided_by character varying(100) NOT NULL,
    sales_channel_id bigint NOT NULL,
    CONSTRAINT lost_steps_came_by_check CHECK ((came_by >= 0)),
    CONSTRAINT lost_steps_left_check CHECK (("left" >= 0)),
    CONSTRAINT lost_steps_ordered_check CHECK ((ordered >= 0))
);

-- Name: lost_steps_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.lost_steps ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.lost_steps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: mail_doors; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.mail_doors (
    id bigint NOT NULL,
    digest character varying(64) NOT NULL,
    made_by character varying(100) NOT NULL,
    made_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    used_at timestamp with time zone,
    sales_channel_id bigint NOT NULL
);

-- Name: mail_doors_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.mail_doors ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.mail_doors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: mail_texts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.mail_texts (
    id bigint NOT NULL,
    purpose character varying(16) NOT NULL,
    language character varying(12) NOT NULL,
    template character varying(200) NOT NULL,
    subject character varying(300) NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    integration_id bigint NOT NULL
);

-- Name: mail_texts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.mail_texts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.mail_texts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: master_counts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.master_counts (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    location_id bigint NOT NULL,
    variant_id bigint NOT NULL
);

-- Name: master_counts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.master_counts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.master_counts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: merchant; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.merchant (
    id smallint NOT NULL,
    currency character varying(3) NOT NULL,
    name character varying(100) NOT NULL,
    time_zone character varying(64) NOT NULL,
    CONSTRAINT merchant_id_check CHECK ((id >= 0)),
    CONSTRAINT merchant_one CHECK ((id = 1))
);

-- Name: merge_suggestions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.merge_suggestions (
    id bigint NOT NULL,
    source character varying(100) NOT NULL,
    evidence jsonb NOT NULL,
    score numeric(4,3),
    state character varying(8) NOT NULL,
    suggested_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    decided_at timestamp with time zone,
    decided_by character varying(100) NOT NULL,
    first_id bigint NOT NULL,
    second_id bigint NOT NULL,
    CONSTRAINT merge_suggestions_in_order CHECK ((first_id < second_id))
);

-- Name: merge_suggestions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.merge_suggestions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.merge_suggestions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: message_digests_timed; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.message_digests_timed (
    since timestamp with time zone NOT NULL
);

-- Name: names_elsewhere; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.names_elsewhere (
    id bigint NOT NULL,
    encrypted text NOT NULL,
    noted_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL
);

-- Name: names_elsewhere_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.names_elsewhere ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.names_elsewhere_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: next_actions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.next_actions (
    id bigint NOT NULL,
    action character varying(20) NOT NULL,
    policy character varying(10) NOT NULL,
    policy_version integer NOT NULL,
    is_trial boolean NOT NULL,
    propensity double precision NOT NULL,
    probabilities jsonb NOT NULL,
    context jsonb NOT NULL,
    reasons jsonb NOT NULL,
    expected_value numeric(16,4),
    currency character varying(3) NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone NOT NULL,
    answer character varying(9) NOT NULL,
    answered_at timestamp with time zone,
    answered_by character varying(100) NOT NULL,
    outcome character varying(12) NOT NULL,
    reward double precision,
    settled_at timestamp with time zone,
    learned_at timestamp with time zone,
    customer_id bigint NOT NULL,
    sales_channel_id bigint,
    variant_id bigint,
    by_rule character varying(20) NOT NULL,
    CONSTRAINT next_actions_policy_version_check CHECK ((policy_version >= 0)),
    CONSTRAINT next_actions_propensity CHECK (((propensity > (0.0)::double precision) AND (propensity <= (1.0)::double precision)))
);

-- Name: next_actions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.next_actions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.next_actions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: notice_mail_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.notice_mail_lines (
    id bigint NOT NULL,
    mail_id bigint NOT NULL,
    notice_id bigint NOT NULL,
    user_id integer NOT NULL
);

-- Name: notice_mail_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.notice_mail_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notice_mail_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: notice_mails; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.notice_mails (
    id bigint NOT NULL,
    key character varying(60) NOT NULL,
    address character varying(254) NOT NULL,
    subject character varying(200) NOT NULL,
    body text NOT NULL,
    state character varying(8) NOT NULL,
    attempts integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    last_error character varying(300) NOT NULL,
    user_id integer NOT NULL,
    CONSTRAINT notice_mails_attempts_check CHECK ((attempts >= 0))
);

-- Name: notice_mails_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.notice_mails ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notice_mails_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: notice_readings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.notice_readings (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    notice_id bigint NOT NULL,
    user_id integer NOT NULL
);

-- Name: notice_readings_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.notice_readings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notice_readings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: notice_wishes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.notice_wishes (
    id bigint NOT NULL,
    kind character varying(40) NOT NULL,
    mail character varying(7) NOT NULL,
    is_muted boolean NOT NULL,
    user_id integer NOT NULL
);

-- Name: notice_wishes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.notice_wishes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notice_wishes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: notices; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.notices (
    id bigint NOT NULL,
    kind character varying(40) NOT NULL,
    key character varying(150) NOT NULL,
    urgency character varying(6) NOT NULL,
    title character varying(200) NOT NULL,
    text character varying(1000) NOT NULL,
    about character varying(60) NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone
);

-- Name: notices_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.notices ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: omnichannel_customers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.omnichannel_customers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.omnichannel_customers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_events; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_events (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    text character varying(500) NOT NULL,
    key character varying(200) NOT NULL,
    actor character varying(100) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    order_id bigint NOT NULL
);

-- Name: order_events_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_events ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_import_refusals; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_import_refusals (
    id bigint NOT NULL,
    "row" bigint NOT NULL,
    "column" character varying(200) NOT NULL,
    value character varying(300) NOT NULL,
    reason character varying(500) NOT NULL,
    order_import_id bigint NOT NULL
);

-- Name: order_import_refusals_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_import_refusals ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_import_refusals_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_imports; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_imports (
    id bigint NOT NULL,
    fingerprint character varying(64) NOT NULL,
    mapping_hash character varying(64) NOT NULL,
    file_name character varying(300) NOT NULL,
    state character varying(8) NOT NULL,
    rows_done bigint NOT NULL,
    counts jsonb NOT NULL,
    has_opening_stock boolean NOT NULL,
    started_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    sales_channel_id bigint NOT NULL
);

-- Name: order_imports_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_imports ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_imports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_lines (
    id bigint NOT NULL,
    "position" integer NOT NULL,
    kind character varying(10) NOT NULL,
    sku character varying(100) NOT NULL,
    title character varying(500) NOT NULL,
    external_id character varying(200) NOT NULL,
    quantity integer NOT NULL,
    unit_price numeric(16,4) DEFAULT 0 NOT NULL,
    discount numeric(16,4) DEFAULT 0 NOT NULL,
    tax numeric(16,4) DEFAULT 0 NOT NULL,
    tax_rate numeric(7,5),
    total numeric(16,4) DEFAULT 0 NOT NULL,
    cancelled_quantity integer DEFAULT 0 NOT NULL,
    fulfilled_quantity integer DEFAULT 0 NOT NULL,
    returned_quantity integer DEFAULT 0 NOT NULL,
    short_quantity integer DEFAULT 0 NOT NULL,
    order_id bigint NOT NULL,
    variant_id bigint,
    CONSTRAINT order_lines_counts CHECK (((cancelled_quantity >= 0) AND (fulfilled_quantity >= 0) AND (returned_quantity >= 0) AND (returned_quantity <= fulfilled_quantity) AND (short_quantity >= 0))),
    CONSTRAINT order_lines_goods CHECK (((NOT ((kind)::text = 'goods'::text)) OR ((quantity > 0) AND (quantity >= (cancelled_quantity + fulfilled_quantity))))),
    CONSTRAINT order_lines_position_check CHECK (("position" >= 0))
);

-- Name: order_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_number_seq; Type: SEQUENCE; Schema: public; Owner: -

CREATE SEQUENCE public.order_number_seq
    START WITH 100001
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: order_promises; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_promises (
    id bigint NOT NULL,
    line smallint NOT NULL,
    per_unit integer NOT NULL,
    order_line_id bigint NOT NULL,
    reservation_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT order_promises_per_unit_check CHECK ((per_unit >= 0))
);

-- Name: order_promises_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_promises ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_promises_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_request_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_request_lines (
    id bigint NOT NULL,
    "position" integer NOT NULL,
    text character varying(400) NOT NULL,
    named character varying(200) NOT NULL,
    quantity integer NOT NULL,
    certainty character varying(8) NOT NULL,
    why character varying(200) NOT NULL,
    candidates jsonb NOT NULL,
    request_id bigint NOT NULL,
    variant_id bigint,
    CONSTRAINT order_request_lines_position_check CHECK (("position" >= 0)),
    CONSTRAINT order_request_lines_quantity_check CHECK ((quantity >= 0))
);

-- Name: order_request_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_request_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_request_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: order_requests; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.order_requests (
    id bigint NOT NULL,
    message_id character varying(250) NOT NULL,
    email character varying(320) NOT NULL,
    name character varying(300) NOT NULL,
    subject character varying(300) NOT NULL,
    text text NOT NULL,
    unproved character varying(200) NOT NULL,
    warnings jsonb NOT NULL,
    state character varying(9) NOT NULL,
    reason character varying(300) NOT NULL,
    decided_by character varying(100) NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    decided_at timestamp with time zone,
    customer_id bigint,
    order_id bigint,
    sales_channel_id bigint NOT NULL
);

-- Name: order_requests_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.order_requests ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.order_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: orders; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.orders (
    id bigint NOT NULL,
    number character varying(60) NOT NULL,
    source character varying(60) NOT NULL,
    external_id character varying(200) NOT NULL,
    state character varying(16) NOT NULL,
    payment_state character varying(16) NOT NULL,
    problem character varying(500) NOT NULL,
    currency character varying(3) NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    cancelled_at timestamp with time zone,
    external_version character varying(60) NOT NULL,
    email character varying(320) NOT NULL,
    phone character varying(40) NOT NULL,
    shipping_address jsonb NOT NULL,
    billing_address jsonb NOT NULL,
    goods numeric(16,4) DEFAULT 0 NOT NULL,
    discount numeric(16,4) DEFAULT 0 NOT NULL,
    shipping numeric(16,4) DEFAULT 0 NOT NULL,
    fees numeric(16,4) DEFAULT 0 NOT NULL,
    tip numeric(16,4) DEFAULT 0 NOT NULL,
    tax numeric(16,4) DEFAULT 0 NOT NULL,
    tax_included boolean NOT NULL,
    total numeric(16,4) DEFAULT 0 NOT NULL,
    refunded numeric(16,4) DEFAULT 0 NOT NULL,
    raw jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    customer_id bigint,
    reservation_id bigint,
    sales_channel_id bigint NOT NULL,
    taken_off numeric(16,4) DEFAULT 0 NOT NULL,
    surplus_refunded numeric(16,4) DEFAULT 0 NOT NULL,
    CONSTRAINT orders_parts_sum_to_total CHECK ((total = (((((goods - discount) + shipping) + fees) + tip) +
CASE
    WHEN tax_included THEN (0)::numeric
    ELSE tax
END)))
);

-- Name: orders_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: outgoing_deliveries; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.outgoing_deliveries (
    id bigint NOT NULL,
    state character varying(9) NOT NULL,
    attempts integer NOT NULL,
    next_try_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_status integer,
    last_error character varying(300) NOT NULL,
    delivered_at timestamp with time zone,
    event_id bigint NOT NULL,
    endpoint_id bigint NOT NULL,
    CONSTRAINT outgoing_deliveries_attempts_check CHECK ((attempts >= 0))
);

-- Name: outgoing_deliveries_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.outgoing_deliveries ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.outgoing_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: outgoing_events; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.outgoing_events (
    id bigint NOT NULL,
    topic character varying(40) NOT NULL,
    subject_id bigint NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    data jsonb,
    prepared_at timestamp with time zone
);

-- Name: outgoing_events_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.outgoing_events ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.outgoing_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: outside_figures; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.outside_figures (
    id bigint NOT NULL,
    day date NOT NULL,
    source character varying(200) NOT NULL,
    sessions bigint NOT NULL,
    users bigint NOT NULL,
    purchases bigint NOT NULL,
    revenue numeric(16,4) NOT NULL,
    currency character varying(3) NOT NULL,
    pulled_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL
);

-- Name: outside_figures_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.outside_figures ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.outside_figures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: own_letters; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.own_letters (
    id bigint NOT NULL,
    kind character varying(12) NOT NULL,
    key character varying(100) NOT NULL,
    email character varying(320) NOT NULL,
    name character varying(300) NOT NULL,
    language character varying(12) NOT NULL,
    subject character varying(300) NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    actor character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    order_id bigint,
    request_id bigint,
    sales_channel_id bigint NOT NULL
);

-- Name: own_letters_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.own_letters ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.own_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: payment_pages; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.payment_pages (
    id bigint NOT NULL,
    key character varying(100) NOT NULL,
    token character varying(64) NOT NULL,
    external_id character varying(200) NOT NULL,
    amount numeric(14,4) NOT NULL,
    currency character varying(3) NOT NULL,
    approve_url character varying(1000) NOT NULL,
    back_url character varying(1000) NOT NULL,
    state character varying(9) NOT NULL,
    last_error character varying(500) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    integration_id bigint NOT NULL,
    order_id bigint NOT NULL,
    asked_at timestamp with time zone
);

-- Name: payment_pages_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.payment_pages ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.payment_pages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: payments; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.payments (
    id bigint NOT NULL,
    tender character varying(30) NOT NULL,
    state character varying(12) NOT NULL,
    amount numeric(16,4) DEFAULT 0 NOT NULL,
    refunded numeric(16,4) DEFAULT 0 NOT NULL,
    currency character varying(3) NOT NULL,
    external_id character varying(200) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    order_id bigint NOT NULL,
    CONSTRAINT payments_refund_covered CHECK (((amount >= (0)::numeric) AND (refunded >= (0)::numeric) AND (refunded <= amount)))
);

-- Name: payments_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.payments ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.payments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: person_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.person_changes (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    was bigint NOT NULL,
    becomes bigint NOT NULL,
    cause character varying(100) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

-- Name: person_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.person_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.person_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: person_followers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.person_followers (
    id bigint NOT NULL,
    name character varying(50) NOT NULL,
    last_change bigint NOT NULL
);

-- Name: person_followers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.person_followers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.person_followers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: person_marks; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.person_marks (
    id bigint NOT NULL,
    customer_id bigint NOT NULL
);

-- Name: person_marks_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.person_marks ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.person_marks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: phone_calls; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.phone_calls (
    id bigint NOT NULL,
    token uuid NOT NULL,
    direction character varying(8) NOT NULL,
    number character varying(40) NOT NULL,
    note text NOT NULL,
    agent character varying(100) NOT NULL,
    started_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    cart_id bigint,
    customer_id bigint,
    order_id bigint,
    sales_channel_id bigint NOT NULL
);

-- Name: phone_calls_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.phone_calls ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.phone_calls_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: pickups; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.pickups (
    id bigint NOT NULL,
    code character varying(6) NOT NULL,
    name character varying(300) NOT NULL,
    state character varying(9) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ready_at timestamp with time zone,
    ended_at timestamp with time zone,
    location_id bigint NOT NULL,
    order_id bigint NOT NULL
);

-- Name: pickups_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.pickups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pickups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: place_mappings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.place_mappings (
    id bigint NOT NULL,
    place character varying(200) NOT NULL,
    integration_id bigint NOT NULL,
    sales_channel_id bigint,
    stock_location_id bigint,
    is_master boolean DEFAULT false NOT NULL
);

-- Name: place_mappings_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.place_mappings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.place_mappings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: postcode_points; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.postcode_points (
    id bigint NOT NULL,
    country character varying(2) NOT NULL,
    prefix character varying(20) NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL
);

-- Name: postcode_points_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.postcode_points ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.postcode_points_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: privacy_requests; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.privacy_requests (
    id bigint NOT NULL,
    kind character varying(7) NOT NULL,
    person_id bigint NOT NULL,
    profiles jsonb NOT NULL,
    state character varying(9) NOT NULL,
    actor character varying(100) NOT NULL,
    source character varying(100) NOT NULL,
    outcome jsonb NOT NULL,
    requested_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    done_at timestamp with time zone
);

-- Name: privacy_requests_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.privacy_requests ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.privacy_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: procrastinate_events; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type public.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);

-- Name: procrastinate_events_id_seq; Type: SEQUENCE; Schema: public; Owner: -

CREATE SEQUENCE public.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: procrastinate_events_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -

ALTER SEQUENCE public.procrastinate_events_id_seq OWNED BY public.procrastinate_events.id;

-- Name: procrastinate_jobs_id_seq; Type: SEQUENCE; Schema: public; Owner: -

CREATE SEQUENCE public.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: procrastinate_jobs_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -

ALTER SEQUENCE public.procrastinate_jobs_id_seq OWNED BY public.procrastinate_jobs.id;

-- Name: procrastinate_periodic_defers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);

-- Name: procrastinate_periodic_defers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

CREATE SEQUENCE public.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: procrastinate_periodic_defers_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -

ALTER SEQUENCE public.procrastinate_periodic_defers_id_seq OWNED BY public.procrastinate_periodic_defers.id;

-- Name: procrastinate_workers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: procrastinate_workers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: product_images; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.product_images (
    id bigint NOT NULL,
    url character varying(1000) NOT NULL,
    alt_text character varying(500) NOT NULL,
    "position" smallint NOT NULL,
    product_id bigint NOT NULL,
    CONSTRAINT product_images_position_check CHECK (("position" >= 0))
);

-- Name: product_images_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.product_images ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.product_images_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: products; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.products (
    id bigint NOT NULL,
    title character varying(500) NOT NULL,
    slug character varying(255) NOT NULL,
    description text NOT NULL,
    brand character varying(200) NOT NULL,
    options jsonb NOT NULL,
    attributes jsonb NOT NULL,
    status character varying(10) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    category_id bigint
);

-- Name: products_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.products ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.products_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: push_records; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.push_records (
    id bigint NOT NULL,
    what character varying(7) NOT NULL,
    version bigint NOT NULL,
    value character varying(200) NOT NULL,
    due_since timestamp with time zone,
    sent_at timestamp with time zone NOT NULL,
    answered_at timestamp with time zone,
    outcome character varying(12) NOT NULL,
    reason character varying(500) NOT NULL,
    integration_id bigint NOT NULL,
    listing_id bigint NOT NULL
);

-- Name: push_records_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.push_records ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.push_records_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: rate_budgets; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.rate_budgets (
    id bigint NOT NULL,
    bucket character varying(100) NOT NULL,
    tokens double precision NOT NULL,
    capacity double precision NOT NULL,
    per_second double precision NOT NULL,
    refilled_at timestamp with time zone NOT NULL,
    integration_id bigint NOT NULL,
    is_learned boolean NOT NULL
);

-- Name: rate_budgets_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.rate_budgets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.rate_budgets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: refunds; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.refunds (
    id bigint NOT NULL,
    key character varying(200) NOT NULL,
    amount numeric(16,4) DEFAULT 0 NOT NULL,
    reason character varying(300) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    order_id bigint NOT NULL,
    payment_id bigint,
    return_record_id bigint,
    CONSTRAINT refunds_positive CHECK ((amount > (0)::numeric))
);

-- Name: refunds_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.refunds ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.refunds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: reservation; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.reservation (
    id bigint NOT NULL,
    key character varying(200) NOT NULL,
    body_hash bigint NOT NULL,
    state character varying(10) NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sales_channel_id bigint NOT NULL,
    location_id bigint
);

-- Name: reservation_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.reservation ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.reservation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: reservation_line; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.reservation_line (
    "position" smallint NOT NULL,
    line smallint NOT NULL,
    promised integer NOT NULL,
    quantity integer NOT NULL,
    from_fence integer DEFAULT 0 NOT NULL,
    short integer DEFAULT 0 NOT NULL,
    is_backorder boolean DEFAULT false NOT NULL,
    state character varying(10) NOT NULL,
    expires_at timestamp with time zone,
    lender_id bigint,
    reservation_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    location_id bigint,
    CONSTRAINT reservation_line_from_fence CHECK (((from_fence >= 0) AND (from_fence <= quantity))),
    CONSTRAINT reservation_line_quantity CHECK ((quantity >= 0))
);

-- Name: return_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.return_lines (
    id bigint NOT NULL,
    "position" integer NOT NULL,
    sku character varying(100) NOT NULL,
    quantity integer NOT NULL,
    disposition character varying(8) NOT NULL,
    refund numeric(16,4) DEFAULT 0 NOT NULL,
    location_id bigint,
    order_line_id bigint,
    return_record_id bigint NOT NULL,
    variant_id bigint,
    CONSTRAINT return_lines_position_check CHECK (("position" >= 0)),
    CONSTRAINT return_lines_quantity_check CHECK ((quantity >= 0))
);

-- Name: return_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.return_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.return_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: returns; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.returns (
    id bigint NOT NULL,
    key character varying(200) NOT NULL,
    state character varying(10) NOT NULL,
    reason character varying(300) NOT NULL,
    is_linked boolean NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    customer_id bigint,
    exchange_order_id bigint,
    order_id bigint,
    sales_channel_id bigint NOT NULL
);

-- Name: returns_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.returns ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.returns_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: sales_channels; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.sales_channels (
    id bigint NOT NULL,
    name character varying(200) NOT NULL,
    slug character varying(100) NOT NULL,
    channel_type character varying(12) NOT NULL,
    status character varying(10) NOT NULL,
    is_paused boolean NOT NULL,
    pause_reason character varying(300) NOT NULL,
    configuration jsonb NOT NULL,
    currency character varying(3) NOT NULL,
    country character varying(2) NOT NULL,
    time_zone character varying(64) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT sales_channels_status CHECK (((status)::text = ANY (ARRAY[('active'::character varying)::text, ('inactive'::character varying)::text, ('archived'::character varying)::text]))),
    CONSTRAINT sales_channels_type CHECK (((channel_type)::text = ANY (ARRAY[('web'::character varying)::text, ('mobile'::character varying)::text, ('marketplace'::character varying)::text, ('social'::character varying)::text, ('store'::character varying)::text, ('phone'::character varying)::text, ('email'::character varying)::text, ('chat'::character varying)::text, ('voice'::character varying)::text, ('kiosk'::character varying)::text])))
);

-- Name: sales_channels_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.sales_channels ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.sales_channels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: segment_changes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.segment_changes (
    id bigint NOT NULL,
    was character varying(50) NOT NULL,
    becomes character varying(50) NOT NULL,
    cause character varying(30) NOT NULL,
    reason character varying(500) NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    person_id bigint NOT NULL
);

-- Name: segment_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.segment_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.segment_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: segment_members; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.segment_members (
    id bigint NOT NULL,
    since timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    person_id bigint NOT NULL,
    segment_id bigint NOT NULL
);

-- Name: segment_members_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.segment_members ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.segment_members_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: segments; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.segments (
    id bigint NOT NULL,
    key character varying(50) NOT NULL,
    name character varying(80) NOT NULL,
    rank smallint,
    rule jsonb NOT NULL,
    marks jsonb NOT NULL,
    created_by character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    sorted_at timestamp with time zone,
    CONSTRAINT segments_rank_check CHECK ((rank >= 0))
);

-- Name: segments_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.segments ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.segments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: shared_identities; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.shared_identities (
    id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    value character varying(320) NOT NULL,
    since timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

-- Name: shared_identities_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.shared_identities ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shared_identities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: shipping_labels; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.shipping_labels (
    id bigint NOT NULL,
    key character varying(100) NOT NULL,
    label_id character varying(200) NOT NULL,
    carrier character varying(60) NOT NULL,
    service character varying(100) NOT NULL,
    rate_id character varying(200) NOT NULL,
    tracking_number character varying(100) NOT NULL,
    tracking_url character varying(500) NOT NULL,
    label_url character varying(1000) NOT NULL,
    amount numeric(14,4) NOT NULL,
    currency character varying(3) NOT NULL,
    state character varying(8) NOT NULL,
    tracking_state character varying(20) NOT NULL,
    tracking_version character varying(60) NOT NULL,
    tracking_steps jsonb NOT NULL,
    last_error character varying(500) NOT NULL,
    actor character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    bought_at timestamp with time zone,
    next_look_at timestamp with time zone,
    fulfilment_id bigint NOT NULL,
    integration_id bigint NOT NULL
);

-- Name: shipping_labels_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.shipping_labels ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shipping_labels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: shop_devices; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.shop_devices (
    id bigint NOT NULL,
    name character varying(80) NOT NULL,
    location_id bigint,
    code_digest character varying(64) NOT NULL,
    code_ends_at timestamp with time zone,
    token_digest character varying(64) NOT NULL,
    family uuid NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_by character varying(100) NOT NULL,
    paired_at timestamp with time zone,
    last_seen_at timestamp with time zone,
    ended_at timestamp with time zone,
    sales_channel_id bigint NOT NULL
);

-- Name: shop_devices_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.shop_devices ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shop_devices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: shop_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.shop_keys (
    id bigint NOT NULL,
    kind character varying(6) NOT NULL,
    key character varying(60) NOT NULL,
    family uuid NOT NULL,
    origins character varying(200)[] NOT NULL,
    calls_per_minute integer NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_by character varying(100) NOT NULL,
    ends_at timestamp with time zone,
    sales_channel_id bigint NOT NULL,
    CONSTRAINT shop_keys_calls_per_minute_check CHECK ((calls_per_minute >= 0))
);

-- Name: shop_keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.shop_keys ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shop_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: shopper_sessions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.shopper_sessions (
    id bigint NOT NULL,
    digest character varying(64) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL,
    sales_channel_id bigint NOT NULL
);

-- Name: shopper_sessions_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.shopper_sessions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shopper_sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: sign_in_codes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.sign_in_codes (
    id bigint NOT NULL,
    address character varying(320) NOT NULL,
    digest character varying(64) NOT NULL,
    encrypted bytea,
    tries smallint NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    sales_channel_id bigint NOT NULL,
    CONSTRAINT sign_in_codes_tries_check CHECK ((tries >= 0))
);

-- Name: sign_in_codes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.sign_in_codes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.sign_in_codes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: staff_bindings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.staff_bindings (
    id bigint NOT NULL,
    location_ids bigint[] NOT NULL,
    user_id integer NOT NULL
);

-- Name: staff_bindings_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.staff_bindings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.staff_bindings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_advice; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_advice (
    id bigint NOT NULL,
    kind character varying(13) NOT NULL,
    quantity integer NOT NULL,
    worth numeric(16,2),
    currency character varying(3) NOT NULL,
    rank double precision NOT NULL,
    reason character varying(1000) NOT NULL,
    numbers jsonb NOT NULL,
    state character varying(9) NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by character varying(100) NOT NULL,
    muted_until timestamp with time zone,
    outcome character varying(60) NOT NULL,
    location_id bigint,
    sales_channel_id bigint,
    source_id bigint,
    variant_id bigint NOT NULL,
    CONSTRAINT stock_advice_quantity_check CHECK ((quantity >= 0))
);

-- Name: stock_advice_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_advice ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_advice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_alerts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_alerts (
    id bigint NOT NULL,
    level character varying(5) NOT NULL,
    quantity integer NOT NULL,
    threshold integer NOT NULL,
    opened_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    closed_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    sales_channel_id bigint,
    variant_id bigint NOT NULL,
    location_id bigint
);

-- Name: stock_alerts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_alerts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_count_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_count_lines (
    id bigint NOT NULL,
    counted_quantity integer NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    difference integer,
    count_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT stock_count_lines_counted_quantity_check CHECK ((counted_quantity >= 0))
);

-- Name: stock_count_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_count_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_count_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_counts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_counts (
    id bigint NOT NULL,
    state character varying(10) NOT NULL,
    note character varying(200) NOT NULL,
    started_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    applied_at timestamp with time zone,
    location_id bigint NOT NULL
);

-- Name: stock_counts_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_counts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_counts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_item; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_item (
    id bigint NOT NULL,
    on_hand integer DEFAULT 0 NOT NULL,
    reserved integer DEFAULT 0 NOT NULL,
    allocated integer DEFAULT 0 NOT NULL,
    safety integer DEFAULT 0 NOT NULL,
    low_stock_threshold integer,
    variant_id bigint NOT NULL,
    location_id bigint NOT NULL,
    CONSTRAINT stock_item_not_negative CHECK (((allocated >= 0) AND (on_hand >= 0) AND (reserved >= 0) AND (safety >= 0))),
    CONSTRAINT stock_item_promises_are_covered CHECK ((on_hand >= (reserved + allocated)))
)
WITH (fillfactor='50');

-- Name: stock_item_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_item ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_item_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_locations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_locations (
    id bigint NOT NULL,
    code character varying(50) NOT NULL,
    name character varying(200) NOT NULL,
    kind character varying(10) NOT NULL,
    country character varying(2) NOT NULL,
    postcode character varying(20) NOT NULL,
    city character varying(100) NOT NULL,
    latitude double precision,
    longitude double precision,
    can_ship boolean NOT NULL,
    can_hand_over boolean NOT NULL,
    priority integer NOT NULL,
    orders_per_day integer,
    is_active boolean NOT NULL,
    street character varying(200) DEFAULT ''::character varying NOT NULL,
    street2 character varying(200) DEFAULT ''::character varying NOT NULL,
    region character varying(100) DEFAULT ''::character varying NOT NULL,
    phone character varying(40) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT stock_locations_orders_per_day_check CHECK ((orders_per_day >= 0)),
    CONSTRAINT stock_locations_priority_check CHECK ((priority >= 0))
);

-- Name: stock_locations_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_locations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_locations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_movement; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_movement (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    kind character varying(14) NOT NULL,
    on_hand_delta integer NOT NULL,
    reserved_delta integer NOT NULL,
    allocated_delta integer NOT NULL,
    fence_delta integer NOT NULL,
    backordered_delta integer NOT NULL,
    reference character varying(100) NOT NULL,
    actor character varying(100) NOT NULL,
    reason character varying(200) NOT NULL,
    location_id bigint,
    reservation_id bigint,
    sales_channel_id bigint,
    variant_id bigint NOT NULL
);

-- Name: stock_movement_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stock_movement ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stock_movement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: stock_pool; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stock_pool (
    variant_id bigint NOT NULL,
    on_hand integer DEFAULT 0 NOT NULL,
    reserved integer DEFAULT 0 NOT NULL,
    allocated integer DEFAULT 0 NOT NULL,
    safety integer DEFAULT 0 NOT NULL,
    fenced integer DEFAULT 0 NOT NULL,
    backordered integer DEFAULT 0 NOT NULL,
    backorder_limit integer DEFAULT 0 NOT NULL,
    alerts_due boolean DEFAULT false NOT NULL,
    CONSTRAINT stock_pool_not_negative CHECK (((allocated >= 0) AND (fenced >= 0) AND (on_hand >= 0) AND (reserved >= 0) AND (safety >= 0) AND (backorder_limit >= 0) AND (backordered >= 0))),
    CONSTRAINT stock_pool_promises_are_covered CHECK ((on_hand >= (reserved + allocated)))
)
WITH (fillfactor='50');

-- Name: stream_cursors; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.stream_cursors (
    id bigint NOT NULL,
    stream character varying(30) NOT NULL,
    cursor text NOT NULL,
    pulled_at timestamp with time zone,
    integration_id bigint NOT NULL,
    since timestamp with time zone
);

-- Name: stream_cursors_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.stream_cursors ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stream_cursors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: supply_terms; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.supply_terms (
    id bigint NOT NULL,
    supplier character varying(200) NOT NULL,
    lead_time_days integer NOT NULL,
    review_days integer NOT NULL,
    order_days integer NOT NULL,
    service_level numeric(5,4) NOT NULL,
    location_id bigint,
    CONSTRAINT supply_terms_lead_time_days_check CHECK ((lead_time_days >= 0)),
    CONSTRAINT supply_terms_order_days_check CHECK ((order_days >= 0)),
    CONSTRAINT supply_terms_review_days_check CHECK ((review_days >= 0)),
    CONSTRAINT supply_terms_service_level CHECK (((service_level >= 0.5) AND (service_level <= 0.999)))
);

-- Name: supply_terms_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.supply_terms ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.supply_terms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: sync_runs; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.sync_runs (
    id bigint NOT NULL,
    stream character varying(30) NOT NULL,
    started_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    outcome character varying(20) NOT NULL,
    seen_count integer NOT NULL,
    changed_count integer NOT NULL,
    failed_count integer NOT NULL,
    error text NOT NULL,
    integration_id bigint NOT NULL,
    CONSTRAINT sync_runs_changed_count_check CHECK ((changed_count >= 0)),
    CONSTRAINT sync_runs_failed_count_check CHECK ((failed_count >= 0)),
    CONSTRAINT sync_runs_seen_count_check CHECK ((seen_count >= 0))
);

-- Name: sync_runs_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.sync_runs ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.sync_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: tax_rates; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.tax_rates (
    id bigint NOT NULL,
    country character varying(2) NOT NULL,
    tax_class character varying(50) NOT NULL,
    rate numeric(7,5) NOT NULL,
    CONSTRAINT tax_rates_share CHECK (((rate >= (0)::numeric) AND (rate < (1)::numeric)))
);

-- Name: tax_rates_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.tax_rates ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tax_rates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: tickets; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.tickets (
    id bigint NOT NULL,
    key character varying(100) NOT NULL,
    external_id character varying(200) NOT NULL,
    subject character varying(300) NOT NULL,
    text text NOT NULL,
    actor character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    noted_digest character varying(64) NOT NULL,
    integration_id bigint NOT NULL,
    order_id bigint,
    priority character varying(6) DEFAULT 'normal'::character varying NOT NULL
);

-- Name: tickets_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.tickets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tickets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: transfer_lines; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.transfer_lines (
    id bigint NOT NULL,
    quantity integer NOT NULL,
    received_quantity integer NOT NULL,
    discrepancy integer NOT NULL,
    transfer_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    CONSTRAINT transfer_lines_quantity_check CHECK ((quantity >= 0)),
    CONSTRAINT transfer_lines_received_quantity_check CHECK ((received_quantity >= 0))
);

-- Name: transfer_lines_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.transfer_lines ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.transfer_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: transfers; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.transfers (
    id bigint NOT NULL,
    state character varying(10) NOT NULL,
    reference character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    shipped_at timestamp with time zone,
    closed_at timestamp with time zone,
    destination_id bigint NOT NULL,
    source_id bigint NOT NULL,
    CONSTRAINT transfers_two_places CHECK ((NOT (source_id = destination_id)))
);

-- Name: transfers_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.transfers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.transfers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: unlinked_listings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.unlinked_listings (
    id bigint NOT NULL,
    external_key character varying(200) NOT NULL,
    external_sku character varying(200) NOT NULL,
    ids jsonb NOT NULL,
    title character varying(500) NOT NULL,
    description text NOT NULL,
    barcode character varying(50) NOT NULL,
    attributes jsonb NOT NULL,
    price numeric(14,4),
    currency character varying(3) NOT NULL,
    shown_quantity integer,
    state character varying(8) NOT NULL,
    score numeric(4,3),
    reasons jsonb NOT NULL,
    found_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    integration_id bigint NOT NULL,
    suggested_variant_id bigint
);

-- Name: unlinked_listings_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.unlinked_listings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.unlinked_listings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: value_models; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.value_models (
    id bigint NOT NULL,
    fitted_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    name character varying(40) NOT NULL,
    currency character varying(3) NOT NULL,
    horizon_days integer NOT NULL,
    learned jsonb NOT NULL,
    cuts jsonb NOT NULL,
    persons integer NOT NULL,
    refreshed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT value_models_horizon_days_check CHECK ((horizon_days >= 0)),
    CONSTRAINT value_models_persons_check CHECK ((persons >= 0))
);

-- Name: value_models_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.value_models ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.value_models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: variant_prices; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.variant_prices (
    id bigint NOT NULL,
    currency character varying(3) NOT NULL,
    amount numeric(14,4) NOT NULL,
    compare_at numeric(14,4),
    variant_id bigint NOT NULL,
    CONSTRAINT variant_prices_not_negative CHECK (((amount >= (0)::numeric) AND (amount < ('10000000000'::bigint)::numeric)))
);

-- Name: variant_prices_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.variant_prices ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.variant_prices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: variants; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.variants (
    id bigint NOT NULL,
    sku character varying(100) NOT NULL,
    barcode character varying(50) NOT NULL,
    title character varying(300) NOT NULL,
    option_values jsonb NOT NULL,
    cost numeric(14,4),
    cost_currency character varying(3) NOT NULL,
    weight_grams integer,
    length_mm integer,
    width_mm integer,
    height_mm integer,
    origin_country character varying(2) NOT NULL,
    hs_code character varying(12) NOT NULL,
    tax_class character varying(50) NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    product_id bigint NOT NULL,
    CONSTRAINT variants_cost CHECK (((cost IS NULL) OR (cost >= (0)::numeric))),
    CONSTRAINT variants_height_mm_check CHECK ((height_mm >= 0)),
    CONSTRAINT variants_length_mm_check CHECK ((length_mm >= 0)),
    CONSTRAINT variants_weight_grams_check CHECK ((weight_grams >= 0)),
    CONSTRAINT variants_width_mm_check CHECK ((width_mm >= 0))
);

-- Name: variants_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.variants ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.variants_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: voice_link_codes; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.voice_link_codes (
    id bigint NOT NULL,
    key uuid NOT NULL,
    address character varying(320) NOT NULL,
    digest character varying(64) NOT NULL,
    encrypted bytea,
    tries smallint NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    customer_id bigint NOT NULL,
    skill_id bigint NOT NULL,
    CONSTRAINT voice_link_codes_tries_check CHECK ((tries >= 0))
);

-- Name: voice_link_codes_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.voice_link_codes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.voice_link_codes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: voice_links; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.voice_links (
    id bigint NOT NULL,
    user_digest character varying(64) NOT NULL,
    redirect_url character varying(500) NOT NULL,
    code_digest character varying(64) NOT NULL,
    code_challenge character varying(128) NOT NULL,
    code_challenge_method character varying(10) NOT NULL,
    code_ends_at timestamp with time zone NOT NULL,
    access_digest character varying(64) NOT NULL,
    access_ends_at timestamp with time zone,
    refresh_digest character varying(64) NOT NULL,
    refresh_ends_at timestamp with time zone,
    linked_at timestamp with time zone,
    used_at timestamp with time zone,
    ended_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    customer_id bigint NOT NULL,
    skill_id bigint NOT NULL
);

-- Name: voice_links_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.voice_links ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.voice_links_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: voice_skills; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.voice_skills (
    id bigint NOT NULL,
    token character varying(64) NOT NULL,
    client_id character varying(40) NOT NULL,
    secret_digest character varying(64) NOT NULL,
    redirect_urls jsonb NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    sales_channel_id bigint NOT NULL
);

-- Name: voice_skills_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.voice_skills ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.voice_skills_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: webhook_deliveries; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.webhook_deliveries (
    id bigint NOT NULL,
    event_id character varying(200) NOT NULL,
    topic character varying(100) NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    received_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    handled_at timestamp with time zone,
    integration_id bigint NOT NULL,
    attempts integer NOT NULL,
    next_try_at timestamp with time zone,
    outcome character varying(200) NOT NULL,
    url character varying(500) NOT NULL,
    CONSTRAINT webhook_deliveries_attempts_check CHECK ((attempts >= 0))
);

-- Name: webhook_deliveries_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.webhook_deliveries ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.webhook_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: webhook_endpoints; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.webhook_endpoints (
    id bigint NOT NULL,
    url character varying(500) NOT NULL,
    description character varying(200) NOT NULL,
    topics jsonb NOT NULL,
    is_active boolean NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamp with time zone,
    failing_since timestamp with time zone,
    disabled_reason character varying(300) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    dialect character varying(8) DEFAULT 'ours'::character varying NOT NULL,
    sales_channel_id bigint
);

-- Name: webhook_endpoints_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.webhook_endpoints ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.webhook_endpoints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: wished_stock; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.wished_stock (
    id bigint NOT NULL,
    out_since timestamp with time zone,
    back_at timestamp with time zone,
    looked_at timestamp with time zone NOT NULL,
    sales_channel_id bigint NOT NULL,
    variant_id bigint NOT NULL
);

-- Name: wished_stock_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.wished_stock ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.wished_stock_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: wishlists; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.wishlists (
    id bigint NOT NULL,
    added_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    customer_id bigint NOT NULL,
    sales_channel_id bigint,
    variant_id bigint NOT NULL
);

-- Name: wishlists_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.wishlists ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.wishlists_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: works; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.works (
    id bigint NOT NULL,
    kind character varying(6) NOT NULL,
    subject character varying(30) NOT NULL,
    channel_id bigint,
    file_name character varying(200) NOT NULL,
    state character varying(7) NOT NULL,
    rows_done integer NOT NULL,
    rows_expected integer,
    told text NOT NULL,
    found jsonb NOT NULL,
    given bytea,
    made bytea,
    asked_by character varying(150) NOT NULL,
    asked_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT works_rows_done_check CHECK ((rows_done >= 0)),
    CONSTRAINT works_rows_expected_check CHECK ((rows_expected >= 0))
);

-- Name: works_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.works ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.works_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: write_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.write_keys (
    id bigint NOT NULL,
    key character varying(100) NOT NULL,
    space character varying(60) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_by character varying(100) NOT NULL,
    ends_at timestamp with time zone,
    sales_channel_id bigint NOT NULL
);

-- Name: write_keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.write_keys ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.write_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: channel_interactions_202611; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions ATTACH PARTITION public.channel_interactions_202611 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');

-- Name: channel_interactions_202612; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions ATTACH PARTITION public.channel_interactions_202612 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');

-- Name: channel_interactions_202701; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions ATTACH PARTITION public.channel_interactions_202701 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');

-- Name: interaction_keys_00; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_00 FOR VALUES WITH (modulus 16, remainder 0);

-- Name: interaction_keys_01; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_01 FOR VALUES WITH (modulus 16, remainder 1);

-- Name: interaction_keys_02; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_02 FOR VALUES WITH (modulus 16, remainder 2);

-- Name: interaction_keys_03; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_03 FOR VALUES WITH (modulus 16, remainder 3);

-- Name: interaction_keys_04; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_04 FOR VALUES WITH (modulus 16, remainder 4);

-- Name: interaction_keys_05; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_05 FOR VALUES WITH (modulus 16, remainder 5);

-- Name: interaction_keys_06; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_06 FOR VALUES WITH (modulus 16, remainder 6);

-- Name: interaction_keys_07; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_07 FOR VALUES WITH (modulus 16, remainder 7);

-- Name: interaction_keys_08; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_08 FOR VALUES WITH (modulus 16, remainder 8);

-- Name: interaction_keys_09; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_09 FOR VALUES WITH (modulus 16, remainder 9);

-- Name: interaction_keys_10; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_10 FOR VALUES WITH (modulus 16, remainder 10);

-- Name: interaction_keys_11; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_11 FOR VALUES WITH (modulus 16, remainder 11);

-- Name: interaction_keys_12; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_12 FOR VALUES WITH (modulus 16, remainder 12);

-- Name: interaction_keys_13; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_13 FOR VALUES WITH (modulus 16, remainder 13);

-- Name: interaction_keys_14; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_14 FOR VALUES WITH (modulus 16, remainder 14);

-- Name: interaction_keys_15; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys ATTACH PARTITION public.interaction_keys_15 FOR VALUES WITH (modulus 16, remainder 15);

-- Name: channel_interactions id; Type: DEFAULT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions ALTER COLUMN id SET DEFAULT nextval('public.interaction_ids'::regclass);

-- Name: procrastinate_events id; Type: DEFAULT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_events_id_seq'::regclass);

-- Name: procrastinate_jobs id; Type: DEFAULT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_jobs_id_seq'::regclass);

-- Name: procrastinate_periodic_defers id; Type: DEFAULT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_periodic_defers_id_seq'::regclass);

-- Name: action_policies action_policies_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.action_policies
    ADD CONSTRAINT action_policies_pkey PRIMARY KEY (id);

-- Name: advice_refreshes advice_refreshes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.advice_refreshes
    ADD CONSTRAINT advice_refreshes_pkey PRIMARY KEY (id);

-- Name: agent_doors agent_doors_endpoint_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_endpoint_id_key UNIQUE (endpoint_id);

-- Name: agent_doors agent_doors_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_pkey PRIMARY KEY (id);

-- Name: agent_doors agent_doors_sales_channel_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_sales_channel_id_key UNIQUE (sales_channel_id);

-- Name: agent_sessions agent_sessions_cart_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_cart_id_key UNIQUE (cart_id);

-- Name: agent_sessions agent_sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_pkey PRIMARY KEY (id);

-- Name: agent_sessions agent_sessions_token_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_token_key UNIQUE (token);

-- Name: analytics_changes analytics_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.analytics_changes
    ADD CONSTRAINT analytics_changes_pkey PRIMARY KEY (id);

-- Name: api_audit api_audit_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_audit
    ADD CONSTRAINT api_audit_pkey PRIMARY KEY (id);

-- Name: api_idempotent_calls api_idempotent_calls_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_idempotent_calls
    ADD CONSTRAINT api_idempotent_calls_once UNIQUE (family, token);

-- Name: api_idempotent_calls api_idempotent_calls_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_idempotent_calls
    ADD CONSTRAINT api_idempotent_calls_pkey PRIMARY KEY (id);

-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

-- Name: api_keys api_keys_prefix_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_prefix_key UNIQUE (prefix);

-- Name: auth_group auth_group_name_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);

-- Name: auth_group_permissions auth_group_permissions_group_id_permission_id_0cd325b0_uniq; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);

-- Name: auth_group_permissions auth_group_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);

-- Name: auth_group auth_group_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);

-- Name: auth_permission auth_permission_content_type_id_codename_01ab375a_uniq; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);

-- Name: auth_permission auth_permission_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);

-- Name: auth_user_groups auth_user_groups_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_pkey PRIMARY KEY (id);

-- Name: auth_user_groups auth_user_groups_user_id_group_id_94350c0c_uniq; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq UNIQUE (user_id, group_id);

-- Name: auth_user auth_user_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);

-- Name: auth_user_user_permissions auth_user_user_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_pkey PRIMARY KEY (id);

-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_permission_id_14a6b632_uniq; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_permission_id_14a6b632_uniq UNIQUE (user_id, permission_id);

-- Name: auth_user auth_user_username_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_username_key UNIQUE (username);

-- Name: best_sellers best_sellers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.best_sellers
    ADD CONSTRAINT best_sellers_pkey PRIMARY KEY (id);

-- Name: best_sellers best_sellers_place; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.best_sellers
    ADD CONSTRAINT best_sellers_place UNIQUE (sales_channel_id, place);

-- Name: blocked_identities blocked_identities_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.blocked_identities
    ADD CONSTRAINT blocked_identities_once UNIQUE (kind, value);

-- Name: blocked_identities blocked_identities_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.blocked_identities
    ADD CONSTRAINT blocked_identities_pkey PRIMARY KEY (id);

-- Name: bundle_components bundle_components_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.bundle_components
    ADD CONSTRAINT bundle_components_once UNIQUE (bundle_id, component_id);

-- Name: bundle_components bundle_components_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.bundle_components
    ADD CONSTRAINT bundle_components_pkey PRIMARY KEY (id);

-- Name: cart_lines cart_lines_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cart_lines
    ADD CONSTRAINT cart_lines_once UNIQUE (cart_id, variant_id);

-- Name: cart_lines cart_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cart_lines
    ADD CONSTRAINT cart_lines_pkey PRIMARY KEY (id);

-- Name: carts carts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.carts
    ADD CONSTRAINT carts_pkey PRIMARY KEY (id);

-- Name: carts carts_token_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.carts
    ADD CONSTRAINT carts_token_key UNIQUE (token);

-- Name: categories categories_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT categories_pkey PRIMARY KEY (id);

-- Name: categories categories_slug_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT categories_slug_key UNIQUE (slug);

-- Name: channel_analytics channel_analytics_one_a_day; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_analytics
    ADD CONSTRAINT channel_analytics_one_a_day UNIQUE (sales_channel_id, date, currency);

-- Name: channel_analytics channel_analytics_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_analytics
    ADD CONSTRAINT channel_analytics_pkey PRIMARY KEY (id);

-- Name: channel_integrations channel_integrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_integrations
    ADD CONSTRAINT channel_integrations_pkey PRIMARY KEY (id);

-- Name: channel_interactions channel_interactions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions
    ADD CONSTRAINT channel_interactions_pkey PRIMARY KEY (id, occurred_at);

-- Name: channel_interactions_202611 channel_interactions_202611_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions_202611
    ADD CONSTRAINT channel_interactions_202611_pkey PRIMARY KEY (id, occurred_at);

-- Name: channel_interactions_202612 channel_interactions_202612_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions_202612
    ADD CONSTRAINT channel_interactions_202612_pkey PRIMARY KEY (id, occurred_at);

-- Name: channel_interactions_202701 channel_interactions_202701_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_interactions_202701
    ADD CONSTRAINT channel_interactions_202701_pkey PRIMARY KEY (id, occurred_at);

-- Name: channel_inventories channel_inventories_one; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_inventories
    ADD CONSTRAINT channel_inventories_one UNIQUE (variant_id, sales_channel_id);

-- Name: channel_inventories channel_inventories_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_inventories
    ADD CONSTRAINT channel_inventories_pkey PRIMARY KEY (id);

-- Name: channel_preferences channel_preferences_one_per_channel; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_preferences
    ADD CONSTRAINT channel_preferences_one_per_channel UNIQUE (customer_id, sales_channel_id);

-- Name: channel_preferences channel_preferences_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_preferences
    ADD CONSTRAINT channel_preferences_pkey PRIMARY KEY (id);

-- Name: channel_products channel_products_one_per_variant; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_products
    ADD CONSTRAINT channel_products_one_per_variant UNIQUE (sales_channel_id, variant_id);

-- Name: channel_products channel_products_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_products
    ADD CONSTRAINT channel_products_pkey PRIMARY KEY (id);

-- Name: channel_sources channel_sources_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_sources
    ADD CONSTRAINT channel_sources_once UNIQUE (sales_channel_id, location_id);

-- Name: channel_sources channel_sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_sources
    ADD CONSTRAINT channel_sources_pkey PRIMARY KEY (id);

-- Name: chat_answers chat_answers_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_answers
    ADD CONSTRAINT chat_answers_once UNIQUE (integration_id, conversation, message);

-- Name: chat_answers chat_answers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_answers
    ADD CONSTRAINT chat_answers_pkey PRIMARY KEY (id);

-- Name: chat_talks chat_talks_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_talks
    ADD CONSTRAINT chat_talks_once UNIQUE (integration_id, conversation);

-- Name: chat_talks chat_talks_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_talks
    ADD CONSTRAINT chat_talks_pkey PRIMARY KEY (id);

-- Name: consents consents_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (id);

-- Name: credentials credentials_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_once UNIQUE (integration_id, name);

-- Name: credentials credentials_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);

-- Name: cross_channel_journeys cross_channel_journeys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cross_channel_journeys
    ADD CONSTRAINT cross_channel_journeys_pkey PRIMARY KEY (id);

-- Name: customer_identities customer_identities_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_identities
    ADD CONSTRAINT customer_identities_once UNIQUE (customer_id, kind, value);

-- Name: customer_identities customer_identities_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_identities
    ADD CONSTRAINT customer_identities_pkey PRIMARY KEY (id);

-- Name: customer_merges customer_merges_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_merges
    ADD CONSTRAINT customer_merges_pkey PRIMARY KEY (id);

-- Name: customer_values customer_values_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_values
    ADD CONSTRAINT customer_values_pkey PRIMARY KEY (person_id);

-- Name: dead_letters dead_letters_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

-- Name: demand_forecasts demand_forecasts_one; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.demand_forecasts
    ADD CONSTRAINT demand_forecasts_one UNIQUE (variant_id, location_id);

-- Name: demand_forecasts demand_forecasts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.demand_forecasts
    ADD CONSTRAINT demand_forecasts_pkey PRIMARY KEY (id);

-- Name: django_admin_log django_admin_log_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_pkey PRIMARY KEY (id);

-- Name: django_content_type django_content_type_app_label_model_76bd3d3b_uniq; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

-- Name: django_content_type django_content_type_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

-- Name: django_migrations django_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

-- Name: django_session django_session_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);

-- Name: drift_findings drift_findings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.drift_findings
    ADD CONSTRAINT drift_findings_pkey PRIMARY KEY (id);

-- Name: due_changes due_changes_one_per_kind; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_changes
    ADD CONSTRAINT due_changes_one_per_kind UNIQUE (listing_id, what);

-- Name: due_changes due_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_changes
    ADD CONSTRAINT due_changes_pkey PRIMARY KEY (id);

-- Name: due_events due_events_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_events
    ADD CONSTRAINT due_events_once UNIQUE (integration_id, kind, local_id);

-- Name: due_events due_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_events
    ADD CONSTRAINT due_events_pkey PRIMARY KEY (id);

-- Name: due_notices due_notices_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_notices
    ADD CONSTRAINT due_notices_once UNIQUE (integration_id, kind, local_id);

-- Name: due_notices due_notices_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_notices
    ADD CONSTRAINT due_notices_pkey PRIMARY KEY (id);

-- Name: due_records due_records_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_records
    ADD CONSTRAINT due_records_once UNIQUE (integration_id, what, local_id);

-- Name: due_records due_records_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_records
    ADD CONSTRAINT due_records_pkey PRIMARY KEY (id);

-- Name: erased_identities erased_identities_digest_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.erased_identities
    ADD CONSTRAINT erased_identities_digest_key UNIQUE (digest);

-- Name: erased_identities erased_identities_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.erased_identities
    ADD CONSTRAINT erased_identities_pkey PRIMARY KEY (id);

-- Name: event_names event_names_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.event_names
    ADD CONSTRAINT event_names_once UNIQUE (sales_channel_id, name);

-- Name: event_names event_names_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.event_names
    ADD CONSTRAINT event_names_pkey PRIMARY KEY (id);

-- Name: events_set_aside events_set_aside_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.events_set_aside
    ADD CONSTRAINT events_set_aside_pkey PRIMARY KEY (id);

-- Name: exchange_rates exchange_rates_one_a_day; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.exchange_rates
    ADD CONSTRAINT exchange_rates_one_a_day UNIQUE (base, quote, date);

-- Name: exchange_rates exchange_rates_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.exchange_rates
    ADD CONSTRAINT exchange_rates_pkey PRIMARY KEY (id);

-- Name: expected_receipts expected_receipts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.expected_receipts
    ADD CONSTRAINT expected_receipts_pkey PRIMARY KEY (id);

-- Name: external_ids external_ids_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.external_ids
    ADD CONSTRAINT external_ids_once UNIQUE (integration_id, kind, external_id);

-- Name: external_ids external_ids_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.external_ids
    ADD CONSTRAINT external_ids_pkey PRIMARY KEY (id);

-- Name: fulfilment_lines fulfilment_lines_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilment_lines
    ADD CONSTRAINT fulfilment_lines_once UNIQUE (fulfilment_id, order_line_id, variant_id);

-- Name: fulfilment_lines fulfilment_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilment_lines
    ADD CONSTRAINT fulfilment_lines_pkey PRIMARY KEY (id);

-- Name: fulfilments fulfilments_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilments
    ADD CONSTRAINT fulfilments_pkey PRIMARY KEY (id);

-- Name: goods_affinities goods_affinities_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.goods_affinities
    ADD CONSTRAINT goods_affinities_pkey PRIMARY KEY (id);

-- Name: goods_affinities goods_affinities_place; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.goods_affinities
    ADD CONSTRAINT goods_affinities_place UNIQUE (variant_id, place);

-- Name: identity_limits identity_limits_kind_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.identity_limits
    ADD CONSTRAINT identity_limits_kind_key UNIQUE (kind);

-- Name: identity_limits identity_limits_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.identity_limits
    ADD CONSTRAINT identity_limits_pkey PRIMARY KEY (id);

-- Name: imported_lines imported_lines_exactly_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.imported_lines
    ADD CONSTRAINT imported_lines_exactly_once UNIQUE (sales_channel_id, source, external_id, "position");

-- Name: imported_lines imported_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.imported_lines
    ADD CONSTRAINT imported_lines_pkey PRIMARY KEY (id);

-- Name: integration_health integration_health_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.integration_health
    ADD CONSTRAINT integration_health_pkey PRIMARY KEY (integration_id);

-- Name: interaction_keys interaction_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys
    ADD CONSTRAINT interaction_keys_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_00 interaction_keys_00_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_00
    ADD CONSTRAINT interaction_keys_00_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_01 interaction_keys_01_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_01
    ADD CONSTRAINT interaction_keys_01_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_02 interaction_keys_02_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_02
    ADD CONSTRAINT interaction_keys_02_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_03 interaction_keys_03_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_03
    ADD CONSTRAINT interaction_keys_03_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_04 interaction_keys_04_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_04
    ADD CONSTRAINT interaction_keys_04_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_05 interaction_keys_05_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_05
    ADD CONSTRAINT interaction_keys_05_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_06 interaction_keys_06_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_06
    ADD CONSTRAINT interaction_keys_06_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_07 interaction_keys_07_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_07
    ADD CONSTRAINT interaction_keys_07_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_08 interaction_keys_08_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_08
    ADD CONSTRAINT interaction_keys_08_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_09 interaction_keys_09_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_09
    ADD CONSTRAINT interaction_keys_09_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_10 interaction_keys_10_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_10
    ADD CONSTRAINT interaction_keys_10_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_11 interaction_keys_11_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_11
    ADD CONSTRAINT interaction_keys_11_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_12 interaction_keys_12_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_12
    ADD CONSTRAINT interaction_keys_12_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_13 interaction_keys_13_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_13
    ADD CONSTRAINT interaction_keys_13_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_14 interaction_keys_14_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_14
    ADD CONSTRAINT interaction_keys_14_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: interaction_keys_15 interaction_keys_15_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.interaction_keys_15
    ADD CONSTRAINT interaction_keys_15_pkey PRIMARY KEY (sales_channel_id, message_digest);

-- Name: item_links item_links_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.item_links
    ADD CONSTRAINT item_links_once UNIQUE (integration_id, external_key);

-- Name: item_links item_links_one_item; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.item_links
    ADD CONSTRAINT item_links_one_item UNIQUE (integration_id, variant_id);

-- Name: item_links item_links_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.item_links
    ADD CONSTRAINT item_links_pkey PRIMARY KEY (id);

-- Name: journey_changes journey_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_changes
    ADD CONSTRAINT journey_changes_pkey PRIMARY KEY (id);

-- Name: journey_marks journey_marks_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_marks
    ADD CONSTRAINT journey_marks_pkey PRIMARY KEY (customer_id);

-- Name: journey_touchpoints journey_touchpoints_interaction_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_touchpoints
    ADD CONSTRAINT journey_touchpoints_interaction_id_key UNIQUE (interaction_id);

-- Name: journey_touchpoints journey_touchpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_touchpoints
    ADD CONSTRAINT journey_touchpoints_pkey PRIMARY KEY (id);

-- Name: lake_changes lake_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.lake_changes
    ADD CONSTRAINT lake_changes_pkey PRIMARY KEY (id);

-- Name: lake_state lake_state_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.lake_state
    ADD CONSTRAINT lake_state_pkey PRIMARY KEY (id);

-- Name: listing_links listing_links_listing_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_links
    ADD CONSTRAINT listing_links_listing_id_key UNIQUE (listing_id);

-- Name: listing_links listing_links_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_links
    ADD CONSTRAINT listing_links_once UNIQUE (integration_id, external_key);

-- Name: listing_links listing_links_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_links
    ADD CONSTRAINT listing_links_pkey PRIMARY KEY (id);

-- Name: listing_prices listing_prices_one_per_currency; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_prices
    ADD CONSTRAINT listing_prices_one_per_currency UNIQUE (listing_id, currency);

-- Name: listing_prices listing_prices_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_prices
    ADD CONSTRAINT listing_prices_pkey PRIMARY KEY (id);

-- Name: lost_steps lost_steps_one; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.lost_steps
    ADD CONSTRAINT lost_steps_one UNIQUE (sales_channel_id, action);

-- Name: lost_steps lost_steps_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.lost_steps
    ADD CONSTRAINT lost_steps_pkey PRIMARY KEY (id);

-- Name: mail_doors mail_doors_digest_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_doors
    ADD CONSTRAINT mail_doors_digest_key UNIQUE (digest);

-- Name: mail_doors mail_doors_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_doors
    ADD CONSTRAINT mail_doors_pkey PRIMARY KEY (id);

-- Name: mail_doors mail_doors_sales_channel_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_doors
    ADD CONSTRAINT mail_doors_sales_channel_id_key UNIQUE (sales_channel_id);

-- Name: mail_texts mail_texts_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_texts
    ADD CONSTRAINT mail_texts_once UNIQUE (integration_id, purpose, language);

-- Name: mail_texts mail_texts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_texts
    ADD CONSTRAINT mail_texts_pkey PRIMARY KEY (id);

-- Name: master_counts master_counts_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.master_counts
    ADD CONSTRAINT master_counts_once UNIQUE (integration_id, variant_id, location_id);

-- Name: master_counts master_counts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.master_counts
    ADD CONSTRAINT master_counts_pkey PRIMARY KEY (id);

-- Name: merchant merchant_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (id);

-- Name: merge_suggestions merge_suggestions_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.merge_suggestions
    ADD CONSTRAINT merge_suggestions_once UNIQUE (first_id, second_id);

-- Name: merge_suggestions merge_suggestions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.merge_suggestions
    ADD CONSTRAINT merge_suggestions_pkey PRIMARY KEY (id);

-- Name: names_elsewhere names_elsewhere_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.names_elsewhere
    ADD CONSTRAINT names_elsewhere_pkey PRIMARY KEY (id);

-- Name: next_actions next_actions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.next_actions
    ADD CONSTRAINT next_actions_pkey PRIMARY KEY (id);

-- Name: notice_mail_lines notice_mail_lines_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mail_lines
    ADD CONSTRAINT notice_mail_lines_once UNIQUE (user_id, notice_id);

-- Name: notice_mail_lines notice_mail_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mail_lines
    ADD CONSTRAINT notice_mail_lines_pkey PRIMARY KEY (id);

-- Name: notice_mails notice_mails_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mails
    ADD CONSTRAINT notice_mails_once UNIQUE (user_id, key);

-- Name: notice_mails notice_mails_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mails
    ADD CONSTRAINT notice_mails_pkey PRIMARY KEY (id);

-- Name: notice_readings notice_readings_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_readings
    ADD CONSTRAINT notice_readings_once UNIQUE (user_id, notice_id);

-- Name: notice_readings notice_readings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_readings
    ADD CONSTRAINT notice_readings_pkey PRIMARY KEY (id);

-- Name: notice_wishes notice_wishes_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_wishes
    ADD CONSTRAINT notice_wishes_once UNIQUE (user_id, kind);

-- Name: notice_wishes notice_wishes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_wishes
    ADD CONSTRAINT notice_wishes_pkey PRIMARY KEY (id);

-- Name: notices notices_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);

-- Name: omnichannel_customers omnichannel_customers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.omnichannel_customers
    ADD CONSTRAINT omnichannel_customers_pkey PRIMARY KEY (id);

-- Name: omnichannel_customers omnichannel_customers_user_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.omnichannel_customers
    ADD CONSTRAINT omnichannel_customers_user_id_key UNIQUE (user_id);

-- Name: order_events order_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_pkey PRIMARY KEY (id);

-- Name: order_import_refusals order_import_refusals_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_import_refusals
    ADD CONSTRAINT order_import_refusals_once UNIQUE (order_import_id, "row");

-- Name: order_import_refusals order_import_refusals_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_import_refusals
    ADD CONSTRAINT order_import_refusals_pkey PRIMARY KEY (id);

-- Name: order_imports order_imports_fingerprint_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_imports
    ADD CONSTRAINT order_imports_fingerprint_key UNIQUE (fingerprint);

-- Name: order_imports order_imports_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_imports
    ADD CONSTRAINT order_imports_pkey PRIMARY KEY (id);

-- Name: order_lines order_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_pkey PRIMARY KEY (id);

-- Name: order_lines order_lines_position; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_position UNIQUE (order_id, "position");

-- Name: order_promises order_promises_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_promises
    ADD CONSTRAINT order_promises_once UNIQUE (order_line_id, reservation_id, line, variant_id);

-- Name: order_promises order_promises_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_promises
    ADD CONSTRAINT order_promises_pkey PRIMARY KEY (id);

-- Name: order_request_lines order_request_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_request_lines
    ADD CONSTRAINT order_request_lines_pkey PRIMARY KEY (id);

-- Name: order_request_lines order_request_lines_position; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_request_lines
    ADD CONSTRAINT order_request_lines_position UNIQUE (request_id, "position");

-- Name: order_requests order_requests_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_requests
    ADD CONSTRAINT order_requests_once UNIQUE (sales_channel_id, message_id);

-- Name: order_requests order_requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_requests
    ADD CONSTRAINT order_requests_pkey PRIMARY KEY (id);

-- Name: orders orders_exactly_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_exactly_once UNIQUE (sales_channel_id, source, external_id);

-- Name: orders orders_number_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_number_key UNIQUE (number);

-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

-- Name: outgoing_deliveries outgoing_deliveries_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outgoing_deliveries
    ADD CONSTRAINT outgoing_deliveries_once UNIQUE (endpoint_id, event_id);

-- Name: outgoing_deliveries outgoing_deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outgoing_deliveries
    ADD CONSTRAINT outgoing_deliveries_pkey PRIMARY KEY (id);

-- Name: outgoing_events outgoing_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outgoing_events
    ADD CONSTRAINT outgoing_events_pkey PRIMARY KEY (id);

-- Name: outside_figures outside_figures_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outside_figures
    ADD CONSTRAINT outside_figures_once UNIQUE (integration_id, day, source);

-- Name: outside_figures outside_figures_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outside_figures
    ADD CONSTRAINT outside_figures_pkey PRIMARY KEY (id);

-- Name: own_letters own_letters_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_once UNIQUE (kind, key);

-- Name: own_letters own_letters_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_pkey PRIMARY KEY (id);

-- Name: payment_pages payment_pages_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payment_pages
    ADD CONSTRAINT payment_pages_once UNIQUE (integration_id, key);

-- Name: payment_pages payment_pages_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payment_pages
    ADD CONSTRAINT payment_pages_pkey PRIMARY KEY (id);

-- Name: payment_pages payment_pages_token_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payment_pages
    ADD CONSTRAINT payment_pages_token_key UNIQUE (token);

-- Name: payments payments_exactly_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_exactly_once UNIQUE (order_id, tender, external_id);

-- Name: payments payments_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (id);

-- Name: person_changes person_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.person_changes
    ADD CONSTRAINT person_changes_pkey PRIMARY KEY (id);

-- Name: person_followers person_followers_name_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.person_followers
    ADD CONSTRAINT person_followers_name_key UNIQUE (name);

-- Name: person_followers person_followers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.person_followers
    ADD CONSTRAINT person_followers_pkey PRIMARY KEY (id);

-- Name: person_marks person_marks_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.person_marks
    ADD CONSTRAINT person_marks_pkey PRIMARY KEY (id);

-- Name: phone_calls phone_calls_cart_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_cart_id_key UNIQUE (cart_id);

-- Name: phone_calls phone_calls_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_pkey PRIMARY KEY (id);

-- Name: phone_calls phone_calls_token_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_token_key UNIQUE (token);

-- Name: pickups pickups_order_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.pickups
    ADD CONSTRAINT pickups_order_id_key UNIQUE (order_id);

-- Name: pickups pickups_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.pickups
    ADD CONSTRAINT pickups_pkey PRIMARY KEY (id);

-- Name: place_mappings place_mappings_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.place_mappings
    ADD CONSTRAINT place_mappings_once UNIQUE (integration_id, place);

-- Name: place_mappings place_mappings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.place_mappings
    ADD CONSTRAINT place_mappings_pkey PRIMARY KEY (id);

-- Name: postcode_points postcode_points_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.postcode_points
    ADD CONSTRAINT postcode_points_once UNIQUE (country, prefix);

-- Name: postcode_points postcode_points_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.postcode_points
    ADD CONSTRAINT postcode_points_pkey PRIMARY KEY (id);

-- Name: privacy_requests privacy_requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.privacy_requests
    ADD CONSTRAINT privacy_requests_pkey PRIMARY KEY (id);

-- Name: procrastinate_events procrastinate_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);

-- Name: procrastinate_jobs procrastinate_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);

-- Name: procrastinate_periodic_defers procrastinate_periodic_defers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);

-- Name: procrastinate_periodic_defers procrastinate_periodic_defers_unique; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);

-- Name: procrastinate_workers procrastinate_workers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);

-- Name: product_images product_images_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.product_images
    ADD CONSTRAINT product_images_pkey PRIMARY KEY (id);

-- Name: products products_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);

-- Name: products products_slug_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_slug_key UNIQUE (slug);

-- Name: push_records push_records_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.push_records
    ADD CONSTRAINT push_records_pkey PRIMARY KEY (id);

-- Name: rate_budgets rate_budgets_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.rate_budgets
    ADD CONSTRAINT rate_budgets_once UNIQUE (integration_id, bucket);

-- Name: rate_budgets rate_budgets_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.rate_budgets
    ADD CONSTRAINT rate_budgets_pkey PRIMARY KEY (id);

-- Name: refunds refunds_exactly_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_exactly_once UNIQUE (order_id, key);

-- Name: refunds refunds_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (id);

-- Name: reservation_line reservation_line_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.reservation_line
    ADD CONSTRAINT reservation_line_pkey PRIMARY KEY (reservation_id, "position");

-- Name: reservation reservation_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_pkey PRIMARY KEY (id);

-- Name: return_lines return_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_pkey PRIMARY KEY (id);

-- Name: return_lines return_lines_position; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_position UNIQUE (return_record_id, "position");

-- Name: returns returns_exactly_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_exactly_once UNIQUE (sales_channel_id, key);

-- Name: returns returns_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_pkey PRIMARY KEY (id);

-- Name: sales_channels sales_channels_name_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sales_channels
    ADD CONSTRAINT sales_channels_name_key UNIQUE (name);

-- Name: sales_channels sales_channels_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sales_channels
    ADD CONSTRAINT sales_channels_pkey PRIMARY KEY (id);

-- Name: sales_channels sales_channels_slug_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sales_channels
    ADD CONSTRAINT sales_channels_slug_key UNIQUE (slug);

-- Name: segment_changes segment_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_changes
    ADD CONSTRAINT segment_changes_pkey PRIMARY KEY (id);

-- Name: segment_members segment_members_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_once UNIQUE (segment_id, person_id);

-- Name: segment_members segment_members_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_pkey PRIMARY KEY (id);

-- Name: segments segments_key_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_key_key UNIQUE (key);

-- Name: segments segments_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_pkey PRIMARY KEY (id);

-- Name: shared_identities shared_identities_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shared_identities
    ADD CONSTRAINT shared_identities_once UNIQUE (kind, value);

-- Name: shared_identities shared_identities_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shared_identities
    ADD CONSTRAINT shared_identities_pkey PRIMARY KEY (id);

-- Name: shipping_labels shipping_labels_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shipping_labels
    ADD CONSTRAINT shipping_labels_once UNIQUE (integration_id, key);

-- Name: shipping_labels shipping_labels_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shipping_labels
    ADD CONSTRAINT shipping_labels_pkey PRIMARY KEY (id);

-- Name: shop_devices shop_devices_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shop_devices
    ADD CONSTRAINT shop_devices_pkey PRIMARY KEY (id);

-- Name: shop_keys shop_keys_key_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shop_keys
    ADD CONSTRAINT shop_keys_key_key UNIQUE (key);

-- Name: shop_keys shop_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shop_keys
    ADD CONSTRAINT shop_keys_pkey PRIMARY KEY (id);

-- Name: shopper_sessions shopper_sessions_digest_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shopper_sessions
    ADD CONSTRAINT shopper_sessions_digest_key UNIQUE (digest);

-- Name: shopper_sessions shopper_sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shopper_sessions
    ADD CONSTRAINT shopper_sessions_pkey PRIMARY KEY (id);

-- Name: sign_in_codes sign_in_codes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sign_in_codes
    ADD CONSTRAINT sign_in_codes_pkey PRIMARY KEY (id);

-- Name: staff_bindings staff_bindings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staff_bindings
    ADD CONSTRAINT staff_bindings_pkey PRIMARY KEY (id);

-- Name: staff_bindings staff_bindings_user_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staff_bindings
    ADD CONSTRAINT staff_bindings_user_id_key UNIQUE (user_id);

-- Name: stock_advice stock_advice_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_advice
    ADD CONSTRAINT stock_advice_pkey PRIMARY KEY (id);

-- Name: stock_alerts stock_alerts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_alerts
    ADD CONSTRAINT stock_alerts_pkey PRIMARY KEY (id);

-- Name: stock_count_lines stock_count_lines_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_count_lines
    ADD CONSTRAINT stock_count_lines_once UNIQUE (count_id, variant_id);

-- Name: stock_count_lines stock_count_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_count_lines
    ADD CONSTRAINT stock_count_lines_pkey PRIMARY KEY (id);

-- Name: stock_counts stock_counts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_counts
    ADD CONSTRAINT stock_counts_pkey PRIMARY KEY (id);

-- Name: stock_item stock_item_one_per_place; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_item
    ADD CONSTRAINT stock_item_one_per_place UNIQUE (variant_id, location_id);

-- Name: stock_item stock_item_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_item
    ADD CONSTRAINT stock_item_pkey PRIMARY KEY (id);

-- Name: stock_locations stock_locations_code_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_locations
    ADD CONSTRAINT stock_locations_code_key UNIQUE (code);

-- Name: stock_locations stock_locations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_locations
    ADD CONSTRAINT stock_locations_pkey PRIMARY KEY (id);

-- Name: stock_movement stock_movement_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (id);

-- Name: stock_pool stock_pool_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_pool
    ADD CONSTRAINT stock_pool_pkey PRIMARY KEY (variant_id);

-- Name: stream_cursors stream_cursors_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stream_cursors
    ADD CONSTRAINT stream_cursors_once UNIQUE (integration_id, stream);

-- Name: stream_cursors stream_cursors_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stream_cursors
    ADD CONSTRAINT stream_cursors_pkey PRIMARY KEY (id);

-- Name: supply_terms supply_terms_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.supply_terms
    ADD CONSTRAINT supply_terms_once UNIQUE NULLS NOT DISTINCT (location_id, supplier);

-- Name: supply_terms supply_terms_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.supply_terms
    ADD CONSTRAINT supply_terms_pkey PRIMARY KEY (id);

-- Name: sync_runs sync_runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_pkey PRIMARY KEY (id);

-- Name: tax_rates tax_rates_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tax_rates
    ADD CONSTRAINT tax_rates_once UNIQUE (country, tax_class);

-- Name: tax_rates tax_rates_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tax_rates
    ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (id);

-- Name: tickets tickets_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_once UNIQUE (integration_id, key);

-- Name: tickets tickets_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);

-- Name: transfer_lines transfer_lines_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfer_lines
    ADD CONSTRAINT transfer_lines_once UNIQUE (transfer_id, variant_id);

-- Name: transfer_lines transfer_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfer_lines
    ADD CONSTRAINT transfer_lines_pkey PRIMARY KEY (id);

-- Name: transfers transfers_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (id);

-- Name: unlinked_listings unlinked_listings_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.unlinked_listings
    ADD CONSTRAINT unlinked_listings_once UNIQUE (integration_id, external_key);

-- Name: unlinked_listings unlinked_listings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.unlinked_listings
    ADD CONSTRAINT unlinked_listings_pkey PRIMARY KEY (id);

-- Name: value_models value_models_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.value_models
    ADD CONSTRAINT value_models_pkey PRIMARY KEY (id);

-- Name: variant_prices variant_prices_one_per_currency; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variant_prices
    ADD CONSTRAINT variant_prices_one_per_currency UNIQUE (variant_id, currency);

-- Name: variant_prices variant_prices_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variant_prices
    ADD CONSTRAINT variant_prices_pkey PRIMARY KEY (id);

-- Name: variants variants_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_pkey PRIMARY KEY (id);

-- Name: variants variants_sku_unique; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_sku_unique UNIQUE (sku);

-- Name: voice_link_codes voice_link_codes_key_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_link_codes
    ADD CONSTRAINT voice_link_codes_key_key UNIQUE (key);

-- Name: voice_link_codes voice_link_codes_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_link_codes
    ADD CONSTRAINT voice_link_codes_pkey PRIMARY KEY (id);

-- Name: voice_links voice_links_code_digest_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_links
    ADD CONSTRAINT voice_links_code_digest_key UNIQUE (code_digest);

-- Name: voice_links voice_links_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_links
    ADD CONSTRAINT voice_links_pkey PRIMARY KEY (id);

-- Name: voice_skills voice_skills_client_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_skills
    ADD CONSTRAINT voice_skills_client_id_key UNIQUE (client_id);

-- Name: voice_skills voice_skills_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_skills
    ADD CONSTRAINT voice_skills_pkey PRIMARY KEY (id);

-- Name: voice_skills voice_skills_sales_channel_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_skills
    ADD CONSTRAINT voice_skills_sales_channel_id_key UNIQUE (sales_channel_id);

-- Name: voice_skills voice_skills_token_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_skills
    ADD CONSTRAINT voice_skills_token_key UNIQUE (token);

-- Name: webhook_deliveries webhook_deliveries_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_once UNIQUE (integration_id, event_id);

-- Name: webhook_deliveries webhook_deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

-- Name: webhook_endpoints webhook_endpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);

-- Name: wished_stock wished_stock_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wished_stock
    ADD CONSTRAINT wished_stock_once UNIQUE (variant_id, sales_channel_id);

-- Name: wished_stock wished_stock_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wished_stock
    ADD CONSTRAINT wished_stock_pkey PRIMARY KEY (id);

-- Name: wishlists wishlists_once; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wishlists
    ADD CONSTRAINT wishlists_once UNIQUE (customer_id, variant_id);

-- Name: wishlists wishlists_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wishlists
    ADD CONSTRAINT wishlists_pkey PRIMARY KEY (id);

-- Name: works works_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.works
    ADD CONSTRAINT works_pkey PRIMARY KEY (id);

-- Name: write_keys write_keys_key_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.write_keys
    ADD CONSTRAINT write_keys_key_key UNIQUE (key);

-- Name: write_keys write_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.write_keys
    ADD CONSTRAINT write_keys_pkey PRIMARY KEY (id);

-- Name: agent_doors_payment_id_25e838a0; Type: INDEX; Schema: public; Owner: -

CREATE INDEX agent_doors_payment_id_25e838a0 ON public.agent_doors USING btree (payment_id);

-- Name: agent_sessions_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX agent_sessions_newest ON public.agent_sessions USING btree (sales_channel_id, id DESC);

-- Name: agent_sessions_paying; Type: INDEX; Schema: public; Owner: -

CREATE INDEX agent_sessions_paying ON public.agent_sessions USING btree (paying_until) WHERE ((state)::text = 'paying'::text);

-- Name: agent_sessions_sales_channel_id_3de8a542; Type: INDEX; Schema: public; Owner: -

CREATE INDEX agent_sessions_sales_channel_id_3de8a542 ON public.agent_sessions USING btree (sales_channel_id);

-- Name: api_audit_key; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_audit_key ON public.api_audit USING btree (key_id, id DESC);

-- Name: api_idempotent_calls_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_idempotent_calls_age ON public.api_idempotent_calls USING btree (created_at);

-- Name: api_keys_family_d97c77ac; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_keys_family_d97c77ac ON public.api_keys USING btree (family);

-- Name: api_keys_prefix_8bd1f38a_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_keys_prefix_8bd1f38a_like ON public.api_keys USING btree (prefix varchar_pattern_ops);

-- Name: api_keys_replaced_by_id_fdd29c92; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_keys_replaced_by_id_fdd29c92 ON public.api_keys USING btree (replaced_by_id);

-- Name: auth_group_name_a6ea08ec_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);

-- Name: auth_group_permissions_group_id_b120cbf9; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);

-- Name: auth_group_permissions_permission_id_84c5c92e; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);

-- Name: auth_permission_content_type_id_2f476e4b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);

-- Name: auth_user_groups_group_id_97559544; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_user_groups_group_id_97559544 ON public.auth_user_groups USING btree (group_id);

-- Name: auth_user_groups_user_id_6a12ed8b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_user_groups_user_id_6a12ed8b ON public.auth_user_groups USING btree (user_id);

-- Name: auth_user_user_permissions_permission_id_1fbb5f2c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_user_user_permissions_permission_id_1fbb5f2c ON public.auth_user_user_permissions USING btree (permission_id);

-- Name: auth_user_user_permissions_user_id_a95ead1b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_user_user_permissions_user_id_a95ead1b ON public.auth_user_user_permissions USING btree (user_id);

-- Name: auth_user_username_6821ab7c_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX auth_user_username_6821ab7c_like ON public.auth_user USING btree (username varchar_pattern_ops);

-- Name: best_sellers_variant_id_b8aff4e8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX best_sellers_variant_id_b8aff4e8 ON public.best_sellers USING btree (variant_id);

-- Name: bundle_components_bundle_id_cd824dfb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX bundle_components_bundle_id_cd824dfb ON public.bundle_components USING btree (bundle_id);

-- Name: bundle_components_component_id_8add7ed8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX bundle_components_component_id_8add7ed8 ON public.bundle_components USING btree (component_id);

-- Name: cart_lines_cart_id_e175470b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX cart_lines_cart_id_e175470b ON public.cart_lines USING btree (cart_id);

-- Name: cart_lines_variant_id_1ba5dda3; Type: INDEX; Schema: public; Owner: -

CREATE INDEX cart_lines_variant_id_1ba5dda3 ON public.cart_lines USING btree (variant_id);

-- Name: carts_customer_id_478bc68c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX carts_customer_id_478bc68c ON public.carts USING btree (customer_id);

-- Name: carts_order_id_89a6b74a; Type: INDEX; Schema: public; Owner: -

CREATE INDEX carts_order_id_89a6b74a ON public.carts USING btree (order_id);

-- Name: carts_sales_channel_id_c7511063; Type: INDEX; Schema: public; Owner: -

CREATE INDEX carts_sales_channel_id_c7511063 ON public.carts USING btree (sales_channel_id);

-- Name: categories_parent_id_fc02df82; Type: INDEX; Schema: public; Owner: -

CREATE INDEX categories_parent_id_fc02df82 ON public.categories USING btree (parent_id);

-- Name: categories_slug_9bedfe6b_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX categories_slug_9bedfe6b_like ON public.categories USING btree (slug varchar_pattern_ops);

-- Name: channel_analytics_sales_channel_id_ade63068; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_analytics_sales_channel_id_ade63068 ON public.channel_analytics USING btree (sales_channel_id);

-- Name: channel_integrations_door; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX channel_integrations_door ON public.channel_integrations USING btree (webhook_token) WHERE (NOT ((webhook_token)::text = ''::text));

-- Name: channel_integrations_sales_channel_id_a231fc5c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_integrations_sales_channel_id_a231fc5c ON public.channel_integrations USING btree (sales_channel_id);

-- Name: interactions_customer; Type: INDEX; Schema: public; Owner: -

CREATE INDEX interactions_customer ON ONLY public.channel_interactions USING btree (customer_id, occurred_at DESC);

-- Name: channel_interactions_202611_customer_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202611_customer_id_occurred_at_idx ON public.channel_interactions_202611 USING btree (customer_id, occurred_at DESC);

-- Name: interactions_journey; Type: INDEX; Schema: public; Owner: -

CREATE INDEX interactions_journey ON ONLY public.channel_interactions USING btree (journey_id) WHERE (journey_id IS NOT NULL);

-- Name: channel_interactions_202611_journey_id_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202611_journey_id_idx ON public.channel_interactions_202611 USING btree (journey_id) WHERE (journey_id IS NOT NULL);

-- Name: interactions_received; Type: INDEX; Schema: public; Owner: -

CREATE INDEX interactions_received ON ONLY public.channel_interactions USING btree (received_at);

-- Name: channel_interactions_202611_received_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202611_received_at_idx ON public.channel_interactions_202611 USING btree (received_at);

-- Name: interactions_channel; Type: INDEX; Schema: public; Owner: -

CREATE INDEX interactions_channel ON ONLY public.channel_interactions USING btree (sales_channel_id, occurred_at DESC);

-- Name: channel_interactions_202611_sales_channel_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202611_sales_channel_id_occurred_at_idx ON public.channel_interactions_202611 USING btree (sales_channel_id, occurred_at DESC);

-- Name: channel_interactions_202612_customer_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202612_customer_id_occurred_at_idx ON public.channel_interactions_202612 USING btree (customer_id, occurred_at DESC);

-- Name: channel_interactions_202612_journey_id_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202612_journey_id_idx ON public.channel_interactions_202612 USING btree (journey_id) WHERE (journey_id IS NOT NULL);

-- Name: channel_interactions_202612_received_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202612_received_at_idx ON public.channel_interactions_202612 USING btree (received_at);

-- Name: channel_interactions_202612_sales_channel_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202612_sales_channel_id_occurred_at_idx ON public.channel_interactions_202612 USING btree (sales_channel_id, occurred_at DESC);

-- Name: channel_interactions_202701_customer_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202701_customer_id_occurred_at_idx ON public.channel_interactions_202701 USING btree (customer_id, occurred_at DESC);

-- Name: channel_interactions_202701_journey_id_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202701_journey_id_idx ON public.channel_interactions_202701 USING btree (journey_id) WHERE (journey_id IS NOT NULL);

-- Name: channel_interactions_202701_received_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202701_received_at_idx ON public.channel_interactions_202701 USING btree (received_at);

-- Name: channel_interactions_202701_sales_channel_id_occurred_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_interactions_202701_sales_channel_id_occurred_at_idx ON public.channel_interactions_202701 USING btree (sales_channel_id, occurred_at DESC);

-- Name: channel_inventories_channel; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_inventories_channel ON public.channel_inventories USING btree (sales_channel_id, variant_id);

-- Name: channel_preferences_customer_id_afcb8f33; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_preferences_customer_id_afcb8f33 ON public.channel_preferences USING btree (customer_id);

-- Name: channel_preferences_sales_channel_id_f7146060; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_preferences_sales_channel_id_f7146060 ON public.channel_preferences USING btree (sales_channel_id);

-- Name: channel_products_closing; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_closing ON public.channel_products USING btree (publish_until) WHERE (publish_until IS NOT NULL);

-- Name: channel_products_failed; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_failed ON public.channel_products USING btree (id) WHERE ((sync_state)::text = 'failed'::text);

-- Name: channel_products_off; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_off ON public.channel_products USING btree (id) WHERE (NOT is_available);

-- Name: channel_products_opening; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_opening ON public.channel_products USING btree (publish_from) WHERE (publish_from IS NOT NULL);

-- Name: channel_products_sales_channel_id_8cde0c94; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_sales_channel_id_8cde0c94 ON public.channel_products USING btree (sales_channel_id);

-- Name: channel_products_variant; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_variant ON public.channel_products USING btree (variant_id, sales_channel_id);

-- Name: channel_products_variant_id_be194f4b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_products_variant_id_be194f4b ON public.channel_products USING btree (variant_id);

-- Name: channel_sources_location_id_4ffc513d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_sources_location_id_4ffc513d ON public.channel_sources USING btree (location_id);

-- Name: channel_sources_sales_channel_id_596ed086; Type: INDEX; Schema: public; Owner: -

CREATE INDEX channel_sources_sales_channel_id_596ed086 ON public.channel_sources USING btree (sales_channel_id);

-- Name: chat_answers_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chat_answers_due ON public.chat_answers USING btree (integration_id, next_try_at) WHERE ((state)::text = ANY (ARRAY[('asked'::character varying)::text, ('written'::character varying)::text]));

-- Name: chat_answers_integration_id_c4883e5d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chat_answers_integration_id_c4883e5d ON public.chat_answers USING btree (integration_id);

-- Name: chat_talks_customer_id_c662af51; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chat_talks_customer_id_c662af51 ON public.chat_talks USING btree (customer_id);

-- Name: chat_talks_integration_id_98f89bdf; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chat_talks_integration_id_98f89bdf ON public.chat_talks USING btree (integration_id);

-- Name: consents_customer_id_d9a03463; Type: INDEX; Schema: public; Owner: -

CREATE INDEX consents_customer_id_d9a03463 ON public.consents USING btree (customer_id);

-- Name: consents_given; Type: INDEX; Schema: public; Owner: -

CREATE INDEX consents_given ON public.consents USING btree (at);

-- Name: consents_latest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX consents_latest ON public.consents USING btree (customer_id, purpose, at DESC);

-- Name: consents_sales_channel_id_be0aab11; Type: INDEX; Schema: public; Owner: -

CREATE INDEX consents_sales_channel_id_be0aab11 ON public.consents USING btree (sales_channel_id);

-- Name: credentials_integration_id_e54f5d45; Type: INDEX; Schema: public; Owner: -

CREATE INDEX credentials_integration_id_e54f5d45 ON public.credentials USING btree (integration_id);

-- Name: cross_channel_journeys_customer_id_d6f1074d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX cross_channel_journeys_customer_id_d6f1074d ON public.cross_channel_journeys USING btree (customer_id);

-- Name: cross_channel_journeys_order_id_c4dab9f7; Type: INDEX; Schema: public; Owner: -

CREATE INDEX cross_channel_journeys_order_id_c4dab9f7 ON public.cross_channel_journeys USING btree (order_id);

-- Name: cross_channel_journeys_start_channel_id_ea3899eb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX cross_channel_journeys_start_channel_id_ea3899eb ON public.cross_channel_journeys USING btree (start_channel_id);

-- Name: customer_identities_anchor_each; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX customer_identities_anchor_each ON public.customer_identities USING btree (customer_id) WHERE is_anchor;

-- Name: customer_identities_carriers; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customer_identities_carriers ON public.customer_identities USING btree (kind, value, customer_id);

-- Name: customer_identities_one_anchor; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX customer_identities_one_anchor ON public.customer_identities USING btree (kind, value) WHERE is_anchor;

-- Name: customer_merges_decision_5a6b81c8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customer_merges_decision_5a6b81c8 ON public.customer_merges USING btree (decision);

-- Name: customer_merges_one_counts; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX customer_merges_one_counts ON public.customer_merges USING btree (first_id, second_id) WHERE (undone_at IS NULL);

-- Name: customer_merges_pairs; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customer_merges_pairs ON public.customer_merges USING btree (first_id, second_id);

-- Name: customer_merges_second_id_31a1bb08; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customer_merges_second_id_31a1bb08 ON public.customer_merges USING btree (second_id);

-- Name: customers_changed; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_changed ON public.omnichannel_customers USING btree (updated_at);

-- Name: customers_erased; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_erased ON public.omnichannel_customers USING btree (id) WHERE (NOT (erased_at IS NULL));

-- Name: customers_merged; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_merged ON public.omnichannel_customers USING btree (merged_into_id) WHERE (NOT (merged_into_id IS NULL));

-- Name: customers_merged_segment; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_merged_segment ON public.omnichannel_customers USING btree (segment, merged_into_id) WHERE (NOT (merged_into_id IS NULL));

-- Name: customers_name_trgm; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_name_trgm ON public.omnichannel_customers USING gin (name public.gin_trgm_ops);

-- Name: customers_segment; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_segment ON public.omnichannel_customers USING btree (segment, id);

-- Name: customers_whole_segment; Type: INDEX; Schema: public; Owner: -

CREATE INDEX customers_whole_segment ON public.omnichannel_customers USING btree (segment, id) WHERE (merged_into_id IS NULL);

-- Name: dead_letters_integration_id_33bef786; Type: INDEX; Schema: public; Owner: -

CREATE INDEX dead_letters_integration_id_33bef786 ON public.dead_letters USING btree (integration_id);

-- Name: dead_letters_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX dead_letters_one_open ON public.dead_letters USING btree (integration_id, stream, external_id) WHERE ((settled_at IS NULL) AND (NOT ((external_id)::text = ''::text)));

-- Name: dead_letters_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX dead_letters_open ON public.dead_letters USING btree (integration_id, id DESC) WHERE (settled_at IS NULL);

-- Name: demand_forecasts_location_id_c63f978b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX demand_forecasts_location_id_c63f978b ON public.demand_forecasts USING btree (location_id);

-- Name: django_admin_log_content_type_id_c4bce8eb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON public.django_admin_log USING btree (content_type_id);

-- Name: django_admin_log_user_id_c564eba6; Type: INDEX; Schema: public; Owner: -

CREATE INDEX django_admin_log_user_id_c564eba6 ON public.django_admin_log USING btree (user_id);

-- Name: django_session_expire_date_a5c62663; Type: INDEX; Schema: public; Owner: -

CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);

-- Name: django_session_session_key_c0390e0f_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);

-- Name: drift_findings_integration_id_3b9279e4; Type: INDEX; Schema: public; Owner: -

CREATE INDEX drift_findings_integration_id_3b9279e4 ON public.drift_findings USING btree (integration_id);

-- Name: drift_findings_listing_id_c851ae22; Type: INDEX; Schema: public; Owner: -

CREATE INDEX drift_findings_listing_id_c851ae22 ON public.drift_findings USING btree (listing_id);

-- Name: drift_findings_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX drift_findings_newest ON public.drift_findings USING btree (integration_id, id DESC);

-- Name: drift_findings_run_id_477c3552; Type: INDEX; Schema: public; Owner: -

CREATE INDEX drift_findings_run_id_477c3552 ON public.drift_findings USING btree (run_id);

-- Name: due_changes_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_changes_due ON public.due_changes USING btree (due_since) WHERE (version > settled_version);

-- Name: due_changes_listing_id_8d7d6a99; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_changes_listing_id_8d7d6a99 ON public.due_changes USING btree (listing_id);

-- Name: due_changes_owner; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_changes_owner ON public.due_changes USING btree (integration_id, due_since) WHERE ((integration_id IS NOT NULL) AND (version > settled_version));

-- Name: due_events_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_events_age ON public.due_events USING btree (found_at);

-- Name: due_events_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_events_due ON public.due_events USING btree (integration_id, next_try_at) WHERE ((state)::text = ANY (ARRAY[('due'::character varying)::text, ('doubtful'::character varying)::text]));

-- Name: due_events_integration_id_a3609798; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_events_integration_id_a3609798 ON public.due_events USING btree (integration_id);

-- Name: due_events_unverified; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_events_unverified ON public.due_events USING btree (integration_id, sent_at) WHERE (((kind)::text = 'movement'::text) AND ((state)::text = 'sent'::text) AND (verified_at IS NULL));

-- Name: due_notices_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_notices_due ON public.due_notices USING btree (integration_id, next_try_at) WHERE ((state)::text = ANY (ARRAY[('due'::character varying)::text, ('doubtful'::character varying)::text]));

-- Name: due_notices_integration_id_ec09e85a; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_notices_integration_id_ec09e85a ON public.due_notices USING btree (integration_id);

-- Name: due_notices_mails; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_notices_mails ON public.due_notices USING btree (integration_id, key) WHERE ((kind)::text = ANY (ARRAY[('confirmation'::character varying)::text, ('dispatch'::character varying)::text, ('back_in_stock'::character varying)::text]));

-- Name: due_notices_unverified; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_notices_unverified ON public.due_notices USING btree (integration_id, sent_at) WHERE (((state)::text = 'sent'::text) AND (verified_at IS NULL));

-- Name: due_records_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_records_due ON public.due_records USING btree (integration_id, what, next_try_at) WHERE (version > settled_version);

-- Name: due_records_integration_id_ff4cadfc; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_records_integration_id_ff4cadfc ON public.due_records USING btree (integration_id);

-- Name: due_records_local; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_records_local ON public.due_records USING btree (what, local_id);

-- Name: due_records_unverified; Type: INDEX; Schema: public; Owner: -

CREATE INDEX due_records_unverified ON public.due_records USING btree (integration_id, told_at) WHERE ((NOT ((external_id)::text = ''::text)) AND (verified_at IS NULL));

-- Name: erased_identities_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX erased_identities_age ON public.erased_identities USING btree (erased_at);

-- Name: erased_identities_customer_id_92a4beec; Type: INDEX; Schema: public; Owner: -

CREATE INDEX erased_identities_customer_id_92a4beec ON public.erased_identities USING btree (customer_id);

-- Name: erased_identities_digest_74ae6ee5_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX erased_identities_digest_74ae6ee5_like ON public.erased_identities USING btree (digest varchar_pattern_ops);

-- Name: event_names_decided; Type: INDEX; Schema: public; Owner: -

CREATE INDEX event_names_decided ON public.event_names USING btree (sales_channel_id) WHERE (NOT ((becomes)::text = ''::text));

-- Name: event_names_sales_channel_id_4220941b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX event_names_sales_channel_id_4220941b ON public.event_names USING btree (sales_channel_id);

-- Name: events_set_aside_channel; Type: INDEX; Schema: public; Owner: -

CREATE INDEX events_set_aside_channel ON public.events_set_aside USING btree (sales_channel_id, id DESC);

-- Name: events_set_aside_received; Type: INDEX; Schema: public; Owner: -

CREATE INDEX events_set_aside_received ON public.events_set_aside USING btree (received_at);

-- Name: events_set_aside_sales_channel_id_ac60857a; Type: INDEX; Schema: public; Owner: -

CREATE INDEX events_set_aside_sales_channel_id_ac60857a ON public.events_set_aside USING btree (sales_channel_id);

-- Name: expected_receipts_location_id_2f4f2647; Type: INDEX; Schema: public; Owner: -

CREATE INDEX expected_receipts_location_id_2f4f2647 ON public.expected_receipts USING btree (location_id);

-- Name: expected_receipts_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX expected_receipts_open ON public.expected_receipts USING btree (variant_id, expected_at) WHERE ((state)::text = 'expected'::text);

-- Name: expected_receipts_variant_id_dbcd0575; Type: INDEX; Schema: public; Owner: -

CREATE INDEX expected_receipts_variant_id_dbcd0575 ON public.expected_receipts USING btree (variant_id);

-- Name: external_ids_integration_id_9b1c16fc; Type: INDEX; Schema: public; Owner: -

CREATE INDEX external_ids_integration_id_9b1c16fc ON public.external_ids USING btree (integration_id);

-- Name: external_ids_local; Type: INDEX; Schema: public; Owner: -

CREATE INDEX external_ids_local ON public.external_ids USING btree (integration_id, kind, local_id);

-- Name: fulfilment_lines_order_line_id_133bc4eb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilment_lines_order_line_id_133bc4eb ON public.fulfilment_lines USING btree (order_line_id);

-- Name: fulfilments_location_day; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilments_location_day ON public.fulfilments USING btree (location_id, created_at);

-- Name: fulfilments_location_id_d8c7c518; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilments_location_id_d8c7c518 ON public.fulfilments USING btree (location_id);

-- Name: fulfilments_order_id_5dac27b4; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilments_order_id_5dac27b4 ON public.fulfilments USING btree (order_id);

-- Name: fulfilments_to_pick; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilments_to_pick ON public.fulfilments USING btree (location_id, id) WHERE ((state)::text = 'pending'::text);

-- Name: fulfilments_tracking; Type: INDEX; Schema: public; Owner: -

CREATE INDEX fulfilments_tracking ON public.fulfilments USING btree (tracking_number) WHERE (NOT ((tracking_number)::text = ''::text));

-- Name: goods_affinities_other_id_e1feb6e8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX goods_affinities_other_id_e1feb6e8 ON public.goods_affinities USING btree (other_id);

-- Name: identity_limits_kind_793abf67_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX identity_limits_kind_793abf67_like ON public.identity_limits USING btree (kind varchar_pattern_ops);

-- Name: idx_procrastinate_jobs_worker_not_null; Type: INDEX; Schema: public; Owner: -

CREATE INDEX idx_procrastinate_jobs_worker_not_null ON public.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::public.procrastinate_job_status));

-- Name: idx_procrastinate_workers_last_heartbeat; Type: INDEX; Schema: public; Owner: -

CREATE INDEX idx_procrastinate_workers_last_heartbeat ON public.procrastinate_workers USING btree (last_heartbeat);

-- Name: item_links_integration_id_56bb63d3; Type: INDEX; Schema: public; Owner: -

CREATE INDEX item_links_integration_id_56bb63d3 ON public.item_links USING btree (integration_id);

-- Name: item_links_variant_id_cfe123bb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX item_links_variant_id_cfe123bb ON public.item_links USING btree (variant_id);

-- Name: journey_touchpoints_journey_id_434c7315; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journey_touchpoints_journey_id_434c7315 ON public.journey_touchpoints USING btree (journey_id);

-- Name: journey_touchpoints_sales_channel_id_ac0b7c86; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journey_touchpoints_sales_channel_id_ac0b7c86 ON public.journey_touchpoints USING btree (sales_channel_id);

-- Name: journeys_customer; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journeys_customer ON public.cross_channel_journeys USING btree (customer_id, started_at DESC);

-- Name: journeys_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journeys_newest ON public.cross_channel_journeys USING btree (started_at DESC, id DESC);

-- Name: journeys_state; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journeys_state ON public.cross_channel_journeys USING btree (state, intent, started_at DESC);

-- Name: journeys_to_sweep; Type: INDEX; Schema: public; Owner: -

CREATE INDEX journeys_to_sweep ON public.cross_channel_journeys USING btree (closes_at) WHERE (is_recognised AND ((state)::text = 'open'::text));

-- Name: lake_changes_day; Type: INDEX; Schema: public; Owner: -

CREATE INDEX lake_changes_day ON public.lake_changes USING btree (stream, day);

-- Name: listing_links_integration_id_7b52a6e6; Type: INDEX; Schema: public; Owner: -

CREATE INDEX listing_links_integration_id_7b52a6e6 ON public.listing_links USING btree (integration_id);

-- Name: listing_links_sweep; Type: INDEX; Schema: public; Owner: -

CREATE INDEX listing_links_sweep ON public.listing_links USING btree (integration_id, shown_at);

-- Name: listing_prices_listing_id_954deaeb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX listing_prices_listing_id_954deaeb ON public.listing_prices USING btree (listing_id);

-- Name: lost_steps_sales_channel_id_df0e45c5; Type: INDEX; Schema: public; Owner: -

CREATE INDEX lost_steps_sales_channel_id_df0e45c5 ON public.lost_steps USING btree (sales_channel_id);

-- Name: mail_doors_digest_fe85cacb_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX mail_doors_digest_fe85cacb_like ON public.mail_doors USING btree (digest varchar_pattern_ops);

-- Name: mail_texts_integration_id_d24c65bb; Type: INDEX; Schema: public; Owner: -

CREATE INDEX mail_texts_integration_id_d24c65bb ON public.mail_texts USING btree (integration_id);

-- Name: master_counts_integration_id_0de05336; Type: INDEX; Schema: public; Owner: -

CREATE INDEX master_counts_integration_id_0de05336 ON public.master_counts USING btree (integration_id);

-- Name: master_counts_location_id_1892b77f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX master_counts_location_id_1892b77f ON public.master_counts USING btree (location_id);

-- Name: master_counts_variant_id_f44b2e28; Type: INDEX; Schema: public; Owner: -

CREATE INDEX master_counts_variant_id_f44b2e28 ON public.master_counts USING btree (variant_id);

-- Name: merge_suggestions_first_id_6b254d1e; Type: INDEX; Schema: public; Owner: -

CREATE INDEX merge_suggestions_first_id_6b254d1e ON public.merge_suggestions USING btree (first_id);

-- Name: merge_suggestions_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX merge_suggestions_open ON public.merge_suggestions USING btree (id) WHERE ((state)::text = 'open'::text);

-- Name: merge_suggestions_second_id_eeccfb2d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX merge_suggestions_second_id_eeccfb2d ON public.merge_suggestions USING btree (second_id);

-- Name: names_elsewhere_integration_id_00af094d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX names_elsewhere_integration_id_00af094d ON public.names_elsewhere USING btree (integration_id);

-- Name: next_actions_customer; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_customer ON public.next_actions USING btree (customer_id, decided_at DESC);

-- Name: next_actions_customer_id_eba05eed; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_customer_id_eba05eed ON public.next_actions USING btree (customer_id);

-- Name: next_actions_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX next_actions_one_open ON public.next_actions USING btree (customer_id) WHERE (settled_at IS NULL);

-- Name: next_actions_sales_channel_id_6144b15c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_sales_channel_id_6144b15c ON public.next_actions USING btree (sales_channel_id);

-- Name: next_actions_settled; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_settled ON public.next_actions USING btree (settled_at, id);

-- Name: next_actions_to_settle; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_to_settle ON public.next_actions USING btree (closes_at) WHERE (settled_at IS NULL);

-- Name: next_actions_variant_id_f33a5a25; Type: INDEX; Schema: public; Owner: -

CREATE INDEX next_actions_variant_id_f33a5a25 ON public.next_actions USING btree (variant_id);

-- Name: notice_mail_lines_mail_id_f0a21360; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notice_mail_lines_mail_id_f0a21360 ON public.notice_mail_lines USING btree (mail_id);

-- Name: notice_mail_lines_notice_id_221f83af; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notice_mail_lines_notice_id_221f83af ON public.notice_mail_lines USING btree (notice_id);

-- Name: notice_mails_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notice_mails_due ON public.notice_mails USING btree (next_try_at) WHERE ((state)::text = 'due'::text);

-- Name: notice_readings_notice_id_4ce5827b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notice_readings_notice_id_4ce5827b ON public.notice_readings USING btree (notice_id);

-- Name: notices_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notices_newest ON public.notices USING btree (opened_at DESC, id DESC);

-- Name: notices_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX notices_one_open ON public.notices USING btree (kind, key) WHERE (closed_at IS NULL);

-- Name: notices_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX notices_open ON public.notices USING btree (opened_at DESC, id DESC) WHERE (closed_at IS NULL);

-- Name: omnichannel_customers_merged_into_id_efdacc18; Type: INDEX; Schema: public; Owner: -

CREATE INDEX omnichannel_customers_merged_into_id_efdacc18 ON public.omnichannel_customers USING btree (merged_into_id);

-- Name: order_events_changed; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_events_changed ON public.order_events USING btree (at) INCLUDE (order_id) WHERE ((kind)::text = ANY (ARRAY[('taken'::character varying)::text, ('updated'::character varying)::text, ('returned'::character varying)::text]));

-- Name: order_events_exactly_once; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX order_events_exactly_once ON public.order_events USING btree (order_id, key) WHERE (NOT ((key)::text = ''::text));

-- Name: order_events_history; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_events_history ON public.order_events USING btree (order_id, id);

-- Name: order_events_to_tell; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_events_to_tell ON public.order_events USING btree (at) INCLUDE (order_id) WHERE ((kind)::text = ANY (ARRAY[('shipped'::character varying)::text, ('delivered'::character varying)::text, ('refunded'::character varying)::text, ('cancelled'::character varying)::text, ('paid'::character varying)::text]));

-- Name: order_import_refusals_order_import_id_a4f7a36d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_import_refusals_order_import_id_a4f7a36d ON public.order_import_refusals USING btree (order_import_id);

-- Name: order_imports_fingerprint_b786ca09_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_imports_fingerprint_b786ca09_like ON public.order_imports USING btree (fingerprint varchar_pattern_ops);

-- Name: order_imports_sales_channel_id_a2893483; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_imports_sales_channel_id_a2893483 ON public.order_imports USING btree (sales_channel_id);

-- Name: order_lines_variant; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_lines_variant ON public.order_lines USING btree (variant_id, order_id);

-- Name: order_promises_reservation_id_b2213ab5; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_promises_reservation_id_b2213ab5 ON public.order_promises USING btree (reservation_id);

-- Name: order_request_lines_variant_id_1a5311d4; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_request_lines_variant_id_1a5311d4 ON public.order_request_lines USING btree (variant_id);

-- Name: order_requests_customer_id_8b2cbb78; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_customer_id_8b2cbb78 ON public.order_requests USING btree (customer_id);

-- Name: order_requests_email; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_email ON public.order_requests USING btree (email) WHERE (NOT ((email)::text = ''::text));

-- Name: order_requests_order_id_0d12d6e9; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_order_id_0d12d6e9 ON public.order_requests USING btree (order_id);

-- Name: order_requests_sales_channel_id_e918b3b3; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_sales_channel_id_e918b3b3 ON public.order_requests USING btree (sales_channel_id);

-- Name: order_requests_state; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_state ON public.order_requests USING btree (state, id DESC);

-- Name: order_requests_waiting; Type: INDEX; Schema: public; Owner: -

CREATE INDEX order_requests_waiting ON public.order_requests USING btree (id DESC) WHERE ((state)::text = 'waiting'::text);

-- Name: orders_channel_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_channel_newest ON public.orders USING btree (sales_channel_id, placed_at DESC, id DESC);

-- Name: orders_customer_id_b7016332; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_customer_id_b7016332 ON public.orders USING btree (customer_id);

-- Name: orders_customer_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_customer_newest ON public.orders USING btree (customer_id, placed_at DESC);

-- Name: orders_email; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_email ON public.orders USING btree (email) WHERE (NOT ((email)::text = ''::text));

-- Name: orders_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_newest ON public.orders USING btree (placed_at DESC, id DESC);

-- Name: orders_not_paid_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_not_paid_newest ON public.orders USING btree (payment_state, placed_at DESC, id DESC) WHERE (NOT ((payment_state)::text = 'paid'::text));

-- Name: orders_number_18e5a576_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_number_18e5a576_like ON public.orders USING btree (number varchar_pattern_ops);

-- Name: orders_number_trgm; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_number_trgm ON public.orders USING gin (number public.gin_trgm_ops);

-- Name: orders_problem; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_problem ON public.orders USING btree (placed_at DESC) WHERE (NOT ((problem)::text = ''::text));

-- Name: orders_sales_channel_id_75c43b85; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_sales_channel_id_75c43b85 ON public.orders USING btree (sales_channel_id);

-- Name: orders_state_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX orders_state_newest ON public.orders USING btree (state, placed_at DESC, id DESC);

-- Name: outgoing_deliveries_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outgoing_deliveries_due ON public.outgoing_deliveries USING btree (endpoint_id, next_try_at) WHERE ((state)::text = 'waiting'::text);

-- Name: outgoing_deliveries_endpoint_id_c7ed87ec; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outgoing_deliveries_endpoint_id_c7ed87ec ON public.outgoing_deliveries USING btree (endpoint_id);

-- Name: outgoing_deliveries_event_id_0d8564d3; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outgoing_deliveries_event_id_0d8564d3 ON public.outgoing_deliveries USING btree (event_id);

-- Name: outgoing_events_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outgoing_events_age ON public.outgoing_events USING btree (at);

-- Name: outgoing_events_fresh; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outgoing_events_fresh ON public.outgoing_events USING btree (id) WHERE (prepared_at IS NULL);

-- Name: outside_figures_integration_id_bba4ad59; Type: INDEX; Schema: public; Owner: -

CREATE INDEX outside_figures_integration_id_bba4ad59 ON public.outside_figures USING btree (integration_id);

-- Name: own_letters_integration_id_c6c1fb40; Type: INDEX; Schema: public; Owner: -

CREATE INDEX own_letters_integration_id_c6c1fb40 ON public.own_letters USING btree (integration_id);

-- Name: own_letters_order_id_2f7b26d5; Type: INDEX; Schema: public; Owner: -

CREATE INDEX own_letters_order_id_2f7b26d5 ON public.own_letters USING btree (order_id);

-- Name: own_letters_request_id_c061ae0a; Type: INDEX; Schema: public; Owner: -

CREATE INDEX own_letters_request_id_c061ae0a ON public.own_letters USING btree (request_id);

-- Name: own_letters_sales_channel_id_71e49308; Type: INDEX; Schema: public; Owner: -

CREATE INDEX own_letters_sales_channel_id_71e49308 ON public.own_letters USING btree (sales_channel_id);

-- Name: payment_pages_external; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX payment_pages_external ON public.payment_pages USING btree (integration_id, external_id) WHERE (NOT ((external_id)::text = ''::text));

-- Name: payment_pages_integration_id_63c7f08d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX payment_pages_integration_id_63c7f08d ON public.payment_pages USING btree (integration_id);

-- Name: payment_pages_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX payment_pages_one_open ON public.payment_pages USING btree (integration_id, order_id) WHERE ((state)::text = ANY (ARRAY[('starting'::character varying)::text, ('started'::character varying)::text]));

-- Name: payment_pages_order_id_ed502bd1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX payment_pages_order_id_ed502bd1 ON public.payment_pages USING btree (order_id);

-- Name: payment_pages_token_f4a084e6_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX payment_pages_token_f4a084e6_like ON public.payment_pages USING btree (token varchar_pattern_ops);

-- Name: payments_order_id_6086ad70; Type: INDEX; Schema: public; Owner: -

CREATE INDEX payments_order_id_6086ad70 ON public.payments USING btree (order_id);

-- Name: person_changes_at; Type: INDEX; Schema: public; Owner: -

CREATE INDEX person_changes_at ON public.person_changes USING btree (at);

-- Name: person_changes_becomes; Type: INDEX; Schema: public; Owner: -

CREATE INDEX person_changes_becomes ON public.person_changes USING btree (becomes);

-- Name: person_changes_profile; Type: INDEX; Schema: public; Owner: -

CREATE INDEX person_changes_profile ON public.person_changes USING btree (customer_id);

-- Name: person_changes_was; Type: INDEX; Schema: public; Owner: -

CREATE INDEX person_changes_was ON public.person_changes USING btree (was);

-- Name: person_followers_name_13260687_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX person_followers_name_13260687_like ON public.person_followers USING btree (name varchar_pattern_ops);

-- Name: phone_calls_agent; Type: INDEX; Schema: public; Owner: -

CREATE INDEX phone_calls_agent ON public.phone_calls USING btree (agent, id DESC);

-- Name: phone_calls_customer_id_abc6ca5c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX phone_calls_customer_id_abc6ca5c ON public.phone_calls USING btree (customer_id);

-- Name: phone_calls_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX phone_calls_open ON public.phone_calls USING btree (agent) WHERE (ended_at IS NULL);

-- Name: phone_calls_order_id_aff66642; Type: INDEX; Schema: public; Owner: -

CREATE INDEX phone_calls_order_id_aff66642 ON public.phone_calls USING btree (order_id);

-- Name: phone_calls_sales_channel_id_711863db; Type: INDEX; Schema: public; Owner: -

CREATE INDEX phone_calls_sales_channel_id_711863db ON public.phone_calls USING btree (sales_channel_id);

-- Name: pickups_location_id_29f821ab; Type: INDEX; Schema: public; Owner: -

CREATE INDEX pickups_location_id_29f821ab ON public.pickups USING btree (location_id);

-- Name: pickups_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX pickups_open ON public.pickups USING btree (location_id, id) WHERE ((state)::text = ANY (ARRAY[('waiting'::character varying)::text, ('ready'::character varying)::text]));

-- Name: place_mappings_integration_id_16f6165c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX place_mappings_integration_id_16f6165c ON public.place_mappings USING btree (integration_id);

-- Name: place_mappings_sales_channel_id_4c439952; Type: INDEX; Schema: public; Owner: -

CREATE INDEX place_mappings_sales_channel_id_4c439952 ON public.place_mappings USING btree (sales_channel_id);

-- Name: place_mappings_stock_location_id_76895714; Type: INDEX; Schema: public; Owner: -

CREATE INDEX place_mappings_stock_location_id_76895714 ON public.place_mappings USING btree (stock_location_id);

-- Name: privacy_requests_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX privacy_requests_open ON public.privacy_requests USING btree (id) WHERE ((state)::text = ANY (ARRAY[('waiting'::character varying)::text, ('under_way'::character varying)::text]));

-- Name: privacy_requests_person_id_075c6af3; Type: INDEX; Schema: public; Owner: -

CREATE INDEX privacy_requests_person_id_075c6af3 ON public.privacy_requests USING btree (person_id);

-- Name: procrastinate_events_job_id_fkey_v1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX procrastinate_events_job_id_fkey_v1 ON public.procrastinate_events USING btree (job_id);

-- Name: procrastinate_jobs_id_lock_idx_v1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON public.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::public.procrastinate_job_status, 'doing'::public.procrastinate_job_status]));

-- Name: procrastinate_jobs_lock_idx_v1; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON public.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::public.procrastinate_job_status);

-- Name: procrastinate_jobs_priority_idx_v1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX procrastinate_jobs_priority_idx_v1 ON public.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::public.procrastinate_job_status);

-- Name: procrastinate_jobs_queue_name_idx_v1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON public.procrastinate_jobs USING btree (queue_name);

-- Name: procrastinate_jobs_queueing_lock_idx_v1; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON public.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::public.procrastinate_job_status);

-- Name: procrastinate_periodic_defers_job_id_fkey_v1; Type: INDEX; Schema: public; Owner: -

CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON public.procrastinate_periodic_defers USING btree (job_id);

-- Name: product_images_product_id_28ebf5f0; Type: INDEX; Schema: public; Owner: -

CREATE INDEX product_images_product_id_28ebf5f0 ON public.product_images USING btree (product_id);

-- Name: products_category; Type: INDEX; Schema: public; Owner: -

CREATE INDEX products_category ON public.products USING btree (category_id, id);

-- Name: products_category_id_a7a3a156; Type: INDEX; Schema: public; Owner: -

CREATE INDEX products_category_id_a7a3a156 ON public.products USING btree (category_id);

-- Name: products_slug_8f20884e_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX products_slug_8f20884e_like ON public.products USING btree (slug varchar_pattern_ops);

-- Name: products_title_trgm; Type: INDEX; Schema: public; Owner: -

CREATE INDEX products_title_trgm ON public.products USING gin (title public.gin_trgm_ops);

-- Name: push_records_integration_id_88747e19; Type: INDEX; Schema: public; Owner: -

CREATE INDEX push_records_integration_id_88747e19 ON public.push_records USING btree (integration_id);

-- Name: push_records_listing; Type: INDEX; Schema: public; Owner: -

CREATE INDEX push_records_listing ON public.push_records USING btree (listing_id, id DESC);

-- Name: push_records_listing_id_955168ca; Type: INDEX; Schema: public; Owner: -

CREATE INDEX push_records_listing_id_955168ca ON public.push_records USING btree (listing_id);

-- Name: push_records_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX push_records_newest ON public.push_records USING btree (integration_id, id DESC);

-- Name: rate_budgets_integration_id_e1310d74; Type: INDEX; Schema: public; Owner: -

CREATE INDEX rate_budgets_integration_id_e1310d74 ON public.rate_budgets USING btree (integration_id);

-- Name: refunds_order_id_33f103bc; Type: INDEX; Schema: public; Owner: -

CREATE INDEX refunds_order_id_33f103bc ON public.refunds USING btree (order_id);

-- Name: refunds_payment_id_075bbbe0; Type: INDEX; Schema: public; Owner: -

CREATE INDEX refunds_payment_id_075bbbe0 ON public.refunds USING btree (payment_id);

-- Name: refunds_return_record_id_955de2e9; Type: INDEX; Schema: public; Owner: -

CREATE INDEX refunds_return_record_id_955de2e9 ON public.refunds USING btree (return_record_id);

-- Name: reservation_key_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX reservation_key_open ON public.reservation USING btree (key) WHERE ((state)::text = ANY (ARRAY[('held'::character varying)::text, ('confirmed'::character varying)::text, ('closed'::character varying)::text]));

-- Name: reservation_line_backorder; Type: INDEX; Schema: public; Owner: -

CREATE INDEX reservation_line_backorder ON public.reservation_line USING btree (variant_id, reservation_id) WHERE is_backorder;

-- Name: reservation_line_confirmed; Type: INDEX; Schema: public; Owner: -

CREATE INDEX reservation_line_confirmed ON public.reservation_line USING btree (variant_id) WHERE ((quantity > 0) AND ((state)::text = 'confirmed'::text));

-- Name: reservation_line_held; Type: INDEX; Schema: public; Owner: -

CREATE INDEX reservation_line_held ON public.reservation_line USING btree (variant_id, expires_at) WHERE ((state)::text = 'held'::text);

-- Name: reservation_line_short; Type: INDEX; Schema: public; Owner: -

CREATE INDEX reservation_line_short ON public.reservation_line USING btree (variant_id) WHERE (short > 0);

-- Name: return_lines_location_id_a32331d9; Type: INDEX; Schema: public; Owner: -

CREATE INDEX return_lines_location_id_a32331d9 ON public.return_lines USING btree (location_id);

-- Name: return_lines_order_line_id_7ecba91b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX return_lines_order_line_id_7ecba91b ON public.return_lines USING btree (order_line_id);

-- Name: return_lines_return_record_id_58dc2fe0; Type: INDEX; Schema: public; Owner: -

CREATE INDEX return_lines_return_record_id_58dc2fe0 ON public.return_lines USING btree (return_record_id);

-- Name: return_lines_variant_id_3a06061e; Type: INDEX; Schema: public; Owner: -

CREATE INDEX return_lines_variant_id_3a06061e ON public.return_lines USING btree (variant_id);

-- Name: returns_channel_day; Type: INDEX; Schema: public; Owner: -

CREATE INDEX returns_channel_day ON public.returns USING btree (sales_channel_id, at);

-- Name: returns_customer_id_178e7f27; Type: INDEX; Schema: public; Owner: -

CREATE INDEX returns_customer_id_178e7f27 ON public.returns USING btree (customer_id);

-- Name: returns_exchange_order_id_fcb2b9a5; Type: INDEX; Schema: public; Owner: -

CREATE INDEX returns_exchange_order_id_fcb2b9a5 ON public.returns USING btree (exchange_order_id);

-- Name: returns_order_id_e622903d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX returns_order_id_e622903d ON public.returns USING btree (order_id);

-- Name: returns_sales_channel_id_f4007819; Type: INDEX; Schema: public; Owner: -

CREATE INDEX returns_sales_channel_id_f4007819 ON public.returns USING btree (sales_channel_id);

-- Name: sales_channels_name_ed55a3cd_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sales_channels_name_ed55a3cd_like ON public.sales_channels USING btree (name varchar_pattern_ops);

-- Name: sales_channels_slug_0249d4a3_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sales_channels_slug_0249d4a3_like ON public.sales_channels USING btree (slug varchar_pattern_ops);

-- Name: segment_changes_main; Type: INDEX; Schema: public; Owner: -

CREATE INDEX segment_changes_main ON public.segment_changes USING btree (at) WHERE ((NOT ((was)::text = ''::text)) AND (NOT ((becomes)::text = ''::text)));

-- Name: segment_changes_person; Type: INDEX; Schema: public; Owner: -

CREATE INDEX segment_changes_person ON public.segment_changes USING btree (person_id, id DESC);

-- Name: segment_members_person_id_ac42a0d8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX segment_members_person_id_ac42a0d8 ON public.segment_members USING btree (person_id);

-- Name: segments_key_4c7e7a6a_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX segments_key_4c7e7a6a_like ON public.segments USING btree (key varchar_pattern_ops);

-- Name: shipping_labels_fulfilment_id_71a3d800; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shipping_labels_fulfilment_id_71a3d800 ON public.shipping_labels USING btree (fulfilment_id);

-- Name: shipping_labels_integration_id_0fbaade0; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shipping_labels_integration_id_0fbaade0 ON public.shipping_labels USING btree (integration_id);

-- Name: shipping_labels_label; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shipping_labels_label ON public.shipping_labels USING btree (integration_id, label_id);

-- Name: shipping_labels_one_counts; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX shipping_labels_one_counts ON public.shipping_labels USING btree (fulfilment_id) WHERE ((state)::text = ANY (ARRAY[('buying'::character varying)::text, ('bought'::character varying)::text, ('voiding'::character varying)::text]));

-- Name: shipping_labels_tracking; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shipping_labels_tracking ON public.shipping_labels USING btree (tracking_number);

-- Name: shipping_labels_under_way; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shipping_labels_under_way ON public.shipping_labels USING btree (next_look_at) WHERE (NOT (next_look_at IS NULL));

-- Name: shop_devices_code; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX shop_devices_code ON public.shop_devices USING btree (code_digest) WHERE (NOT ((code_digest)::text = ''::text));

-- Name: shop_devices_sales_channel_id_4f355758; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shop_devices_sales_channel_id_4f355758 ON public.shop_devices USING btree (sales_channel_id);

-- Name: shop_devices_token; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX shop_devices_token ON public.shop_devices USING btree (token_digest) WHERE (NOT ((token_digest)::text = ''::text));

-- Name: shop_keys_key_459d4d29_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shop_keys_key_459d4d29_like ON public.shop_keys USING btree (key varchar_pattern_ops);

-- Name: shop_keys_sales_channel_id_13d971bf; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shop_keys_sales_channel_id_13d971bf ON public.shop_keys USING btree (sales_channel_id);

-- Name: shopper_sessions_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shopper_sessions_age ON public.shopper_sessions USING btree (ends_at);

-- Name: shopper_sessions_customer_id_46d52834; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shopper_sessions_customer_id_46d52834 ON public.shopper_sessions USING btree (customer_id);

-- Name: shopper_sessions_digest_466da2ed_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shopper_sessions_digest_466da2ed_like ON public.shopper_sessions USING btree (digest varchar_pattern_ops);

-- Name: shopper_sessions_sales_channel_id_2ba5df73; Type: INDEX; Schema: public; Owner: -

CREATE INDEX shopper_sessions_sales_channel_id_2ba5df73 ON public.shopper_sessions USING btree (sales_channel_id);

-- Name: sign_in_codes_address; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sign_in_codes_address ON public.sign_in_codes USING btree (address, created_at DESC);

-- Name: sign_in_codes_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sign_in_codes_age ON public.sign_in_codes USING btree (ends_at);

-- Name: sign_in_codes_sales_channel_id_b627fe11; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sign_in_codes_sales_channel_id_b627fe11 ON public.sign_in_codes USING btree (sales_channel_id);

-- Name: stock_advice_kind; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_advice_kind ON public.stock_advice USING btree (kind, rank DESC, id DESC) WHERE ((state)::text = 'open'::text);

-- Name: stock_advice_muted; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_advice_muted ON public.stock_advice USING btree (muted_until) WHERE ((state)::text = 'dismissed'::text);

-- Name: stock_advice_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX stock_advice_one_open ON public.stock_advice USING btree (kind, variant_id, location_id, source_id, sales_channel_id) NULLS NOT DISTINCT WHERE ((state)::text = 'open'::text);

-- Name: stock_advice_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_advice_open ON public.stock_advice USING btree (rank DESC, id DESC) WHERE ((state)::text = 'open'::text);

-- Name: stock_advice_variant_id_2f932a4f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_advice_variant_id_2f932a4f ON public.stock_advice USING btree (variant_id);

-- Name: stock_alerts_location_id_9fe711e2; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_alerts_location_id_9fe711e2 ON public.stock_alerts USING btree (location_id);

-- Name: stock_alerts_one_open; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX stock_alerts_one_open ON public.stock_alerts USING btree (variant_id, sales_channel_id, location_id) NULLS NOT DISTINCT WHERE (closed_at IS NULL);

-- Name: stock_alerts_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_alerts_open ON public.stock_alerts USING btree (opened_at DESC) WHERE (closed_at IS NULL);

-- Name: stock_alerts_sales_channel_id_cb4f56f2; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_alerts_sales_channel_id_cb4f56f2 ON public.stock_alerts USING btree (sales_channel_id);

-- Name: stock_alerts_variant_id_80657a3f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_alerts_variant_id_80657a3f ON public.stock_alerts USING btree (variant_id);

-- Name: stock_count_lines_count_id_374913c8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_count_lines_count_id_374913c8 ON public.stock_count_lines USING btree (count_id);

-- Name: stock_count_lines_variant_id_86cd7d12; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_count_lines_variant_id_86cd7d12 ON public.stock_count_lines USING btree (variant_id);

-- Name: stock_counts_location_id_7b9ab69f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_counts_location_id_7b9ab69f ON public.stock_counts USING btree (location_id);

-- Name: stock_item_location; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_item_location ON public.stock_item USING btree (location_id, variant_id);

-- Name: stock_locations_code_f977af6c_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_locations_code_f977af6c_like ON public.stock_locations USING btree (code varchar_pattern_ops);

-- Name: stock_movement_at; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_movement_at ON public.stock_movement USING brin (at);

-- Name: stock_movement_met; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_movement_met ON public.stock_movement USING btree (at, reservation_id) WHERE ((kind)::text = ANY (ARRAY[('backfill'::character varying)::text, ('short'::character varying)::text]));

-- Name: stock_movement_moved; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_movement_moved ON public.stock_movement USING btree (at) WHERE ((on_hand_delta <> 0) OR ((kind)::text = 'transfer_in'::text));

-- Name: stock_movement_variant; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_movement_variant ON public.stock_movement USING btree (variant_id, id);

-- Name: stock_pool_alerts_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stock_pool_alerts_due ON public.stock_pool USING btree (variant_id) WHERE alerts_due;

-- Name: stream_cursors_integration_id_503bb7b4; Type: INDEX; Schema: public; Owner: -

CREATE INDEX stream_cursors_integration_id_503bb7b4 ON public.stream_cursors USING btree (integration_id);

-- Name: supply_terms_location_id_61f49d8c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX supply_terms_location_id_61f49d8c ON public.supply_terms USING btree (location_id);

-- Name: sync_runs_integration_id_87d0dd1f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sync_runs_integration_id_87d0dd1f ON public.sync_runs USING btree (integration_id);

-- Name: sync_runs_newest; Type: INDEX; Schema: public; Owner: -

CREATE INDEX sync_runs_newest ON public.sync_runs USING btree (integration_id, id DESC);

-- Name: tickets_external; Type: INDEX; Schema: public; Owner: -

CREATE INDEX tickets_external ON public.tickets USING btree (integration_id, external_id);

-- Name: tickets_integration_id_4ae23300; Type: INDEX; Schema: public; Owner: -

CREATE INDEX tickets_integration_id_4ae23300 ON public.tickets USING btree (integration_id);

-- Name: tickets_order_id_c3c341a7; Type: INDEX; Schema: public; Owner: -

CREATE INDEX tickets_order_id_c3c341a7 ON public.tickets USING btree (order_id);

-- Name: touchpoints_in_order; Type: INDEX; Schema: public; Owner: -

CREATE INDEX touchpoints_in_order ON public.journey_touchpoints USING btree (journey_id, occurred_at, id) INCLUDE (sales_channel_id, action);

-- Name: transfer_lines_transfer_id_0f1ec8b5; Type: INDEX; Schema: public; Owner: -

CREATE INDEX transfer_lines_transfer_id_0f1ec8b5 ON public.transfer_lines USING btree (transfer_id);

-- Name: transfer_lines_variant_id_bedd10c8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX transfer_lines_variant_id_bedd10c8 ON public.transfer_lines USING btree (variant_id);

-- Name: transfers_destination_id_2e3f9a80; Type: INDEX; Schema: public; Owner: -

CREATE INDEX transfers_destination_id_2e3f9a80 ON public.transfers USING btree (destination_id);

-- Name: transfers_source_id_e5415efd; Type: INDEX; Schema: public; Owner: -

CREATE INDEX transfers_source_id_e5415efd ON public.transfers USING btree (source_id);

-- Name: unlinked_listings_integration_id_5f39b7f9; Type: INDEX; Schema: public; Owner: -

CREATE INDEX unlinked_listings_integration_id_5f39b7f9 ON public.unlinked_listings USING btree (integration_id);

-- Name: unlinked_listings_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX unlinked_listings_open ON public.unlinked_listings USING btree (integration_id, id) WHERE ((state)::text = 'open'::text);

-- Name: unlinked_listings_suggested_variant_id_a4a2ed3e; Type: INDEX; Schema: public; Owner: -

CREATE INDEX unlinked_listings_suggested_variant_id_a4a2ed3e ON public.unlinked_listings USING btree (suggested_variant_id);

-- Name: variant_prices_variant_id_f292400b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX variant_prices_variant_id_f292400b ON public.variant_prices USING btree (variant_id);

-- Name: variants_barcode; Type: INDEX; Schema: public; Owner: -

CREATE INDEX variants_barcode ON public.variants USING btree (barcode) WHERE (NOT ((barcode)::text = ''::text));

-- Name: variants_product_id_870dd1c2; Type: INDEX; Schema: public; Owner: -

CREATE INDEX variants_product_id_870dd1c2 ON public.variants USING btree (product_id);

-- Name: variants_sku_folded; Type: INDEX; Schema: public; Owner: -

CREATE INDEX variants_sku_folded ON public.variants USING btree (lower((sku)::text));

-- Name: variants_sku_trgm; Type: INDEX; Schema: public; Owner: -

CREATE INDEX variants_sku_trgm ON public.variants USING gin (sku public.gin_trgm_ops);

-- Name: voice_link_codes_customer_id_1009005c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_link_codes_customer_id_1009005c ON public.voice_link_codes USING btree (customer_id);

-- Name: voice_link_codes_digest_1e4e4709; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_link_codes_digest_1e4e4709 ON public.voice_link_codes USING btree (digest);

-- Name: voice_link_codes_digest_1e4e4709_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_link_codes_digest_1e4e4709_like ON public.voice_link_codes USING btree (digest varchar_pattern_ops);

-- Name: voice_link_codes_skill_id_9fded857; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_link_codes_skill_id_9fded857 ON public.voice_link_codes USING btree (skill_id);

-- Name: voice_links_access; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX voice_links_access ON public.voice_links USING btree (access_digest) WHERE (NOT ((access_digest)::text = ''::text));

-- Name: voice_links_code_digest_cec5eabd_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_links_code_digest_cec5eabd_like ON public.voice_links USING btree (code_digest varchar_pattern_ops);

-- Name: voice_links_customer_id_9455606d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_links_customer_id_9455606d ON public.voice_links USING btree (customer_id);

-- Name: voice_links_refresh; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX voice_links_refresh ON public.voice_links USING btree (refresh_digest) WHERE (NOT ((refresh_digest)::text = ''::text));

-- Name: voice_links_skill_id_dc1cebc8; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_links_skill_id_dc1cebc8 ON public.voice_links USING btree (skill_id);

-- Name: voice_links_user; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_links_user ON public.voice_links USING btree (skill_id, user_digest) WHERE (NOT ((user_digest)::text = ''::text));

-- Name: voice_skills_client_id_81e5ff4e_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_skills_client_id_81e5ff4e_like ON public.voice_skills USING btree (client_id varchar_pattern_ops);

-- Name: voice_skills_token_175b2181_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX voice_skills_token_175b2181_like ON public.voice_skills USING btree (token varchar_pattern_ops);

-- Name: webhook_deliveries_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX webhook_deliveries_age ON public.webhook_deliveries USING btree (received_at);

-- Name: webhook_deliveries_integration_id_54f9795b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX webhook_deliveries_integration_id_54f9795b ON public.webhook_deliveries USING btree (integration_id);

-- Name: webhook_deliveries_waiting; Type: INDEX; Schema: public; Owner: -

CREATE INDEX webhook_deliveries_waiting ON public.webhook_deliveries USING btree (integration_id, id) WHERE (handled_at IS NULL);

-- Name: webhook_endpoints_sales_channel_id_ef50f35f; Type: INDEX; Schema: public; Owner: -

CREATE INDEX webhook_endpoints_sales_channel_id_ef50f35f ON public.webhook_endpoints USING btree (sales_channel_id);

-- Name: wished_stock_age; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wished_stock_age ON public.wished_stock USING btree (looked_at);

-- Name: wished_stock_back; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wished_stock_back ON public.wished_stock USING btree (back_at) WHERE (out_since IS NULL);

-- Name: wished_stock_sales_channel_id_6426d00b; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wished_stock_sales_channel_id_6426d00b ON public.wished_stock USING btree (sales_channel_id);

-- Name: wished_stock_variant_id_d529b1ae; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wished_stock_variant_id_d529b1ae ON public.wished_stock USING btree (variant_id);

-- Name: wishlists_customer_id_50c36342; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wishlists_customer_id_50c36342 ON public.wishlists USING btree (customer_id);

-- Name: wishlists_sales_channel_id_2cb3cb1c; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wishlists_sales_channel_id_2cb3cb1c ON public.wishlists USING btree (sales_channel_id);

-- Name: wishlists_variant_id_1cfaf0cc; Type: INDEX; Schema: public; Owner: -

CREATE INDEX wishlists_variant_id_1cfaf0cc ON public.wishlists USING btree (variant_id);

-- Name: write_keys_key_d57a96d1_like; Type: INDEX; Schema: public; Owner: -

CREATE INDEX write_keys_key_d57a96d1_like ON public.write_keys USING btree (key varchar_pattern_ops);

-- Name: write_keys_sales_channel_id_ce1b644d; Type: INDEX; Schema: public; Owner: -

CREATE INDEX write_keys_sales_channel_id_ce1b644d ON public.write_keys USING btree (sales_channel_id);

-- Name: channel_interactions_202611_customer_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_customer ATTACH PARTITION public.channel_interactions_202611_customer_id_occurred_at_idx;

-- Name: channel_interactions_202611_journey_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_journey ATTACH PARTITION public.channel_interactions_202611_journey_id_idx;

-- Name: channel_interactions_202611_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.channel_interactions_pkey ATTACH PARTITION public.channel_interactions_202611_pkey;

-- Name: channel_interactions_202611_received_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_received ATTACH PARTITION public.channel_interactions_202611_received_at_idx;

-- Name: channel_interactions_202611_sales_channel_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_channel ATTACH PARTITION public.channel_interactions_202611_sales_channel_id_occurred_at_idx;

-- Name: channel_interactions_202612_customer_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_customer ATTACH PARTITION public.channel_interactions_202612_customer_id_occurred_at_idx;

-- Name: channel_interactions_202612_journey_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_journey ATTACH PARTITION public.channel_interactions_202612_journey_id_idx;

-- Name: channel_interactions_202612_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.channel_interactions_pkey ATTACH PARTITION public.channel_interactions_202612_pkey;

-- Name: channel_interactions_202612_received_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_received ATTACH PARTITION public.channel_interactions_202612_received_at_idx;

-- Name: channel_interactions_202612_sales_channel_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_channel ATTACH PARTITION public.channel_interactions_202612_sales_channel_id_occurred_at_idx;

-- Name: channel_interactions_202701_customer_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_customer ATTACH PARTITION public.channel_interactions_202701_customer_id_occurred_at_idx;

-- Name: channel_interactions_202701_journey_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_journey ATTACH PARTITION public.channel_interactions_202701_journey_id_idx;

-- Name: channel_interactions_202701_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.channel_interactions_pkey ATTACH PARTITION public.channel_interactions_202701_pkey;

-- Name: channel_interactions_202701_received_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_received ATTACH PARTITION public.channel_interactions_202701_received_at_idx;

-- Name: channel_interactions_202701_sales_channel_id_occurred_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interactions_channel ATTACH PARTITION public.channel_interactions_202701_sales_channel_id_occurred_at_idx;

-- Name: interaction_keys_00_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_00_pkey;

-- Name: interaction_keys_01_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_01_pkey;

-- Name: interaction_keys_02_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_02_pkey;

-- Name: interaction_keys_03_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_03_pkey;

-- Name: interaction_keys_04_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_04_pkey;

-- Name: interaction_keys_05_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_05_pkey;

-- Name: interaction_keys_06_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_06_pkey;

-- Name: interaction_keys_07_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_07_pkey;

-- Name: interaction_keys_08_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_08_pkey;

-- Name: interaction_keys_09_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_09_pkey;

-- Name: interaction_keys_10_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_10_pkey;

-- Name: interaction_keys_11_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_11_pkey;

-- Name: interaction_keys_12_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_12_pkey;

-- Name: interaction_keys_13_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_13_pkey;

-- Name: interaction_keys_14_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_14_pkey;

-- Name: interaction_keys_15_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.interaction_keys_pkey ATTACH PARTITION public.interaction_keys_15_pkey;

-- Name: sales_channels channels_analytics_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER channels_analytics_changed AFTER UPDATE OF currency, time_zone ON public.sales_channels FOR EACH ROW WHEN ((((old.currency)::text IS DISTINCT FROM (new.currency)::text) OR ((old.time_zone)::text IS DISTINCT FROM (new.time_zone)::text))) EXECUTE FUNCTION public.analytics_note_channel();

-- Name: sales_channels channels_analytics_removed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER channels_analytics_removed AFTER DELETE ON public.sales_channels FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_currency();

-- Name: omnichannel_customers customers_analytics_merged; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER customers_analytics_merged AFTER UPDATE OF merged_into_id ON public.omnichannel_customers FOR EACH ROW WHEN ((old.merged_into_id IS DISTINCT FROM new.merged_into_id)) EXECUTE FUNCTION public.analytics_note_merge();

-- Name: omnichannel_customers customers_journeys_merged; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER customers_journeys_merged AFTER UPDATE OF merged_into_id ON public.omnichannel_customers FOR EACH ROW WHEN ((old.merged_into_id IS DISTINCT FROM new.merged_into_id)) EXECUTE FUNCTION public.journeys_note_merge();

-- Name: omnichannel_customers customers_outgoing_created; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER customers_outgoing_created AFTER INSERT ON public.omnichannel_customers FOR EACH ROW EXECUTE FUNCTION public.outgoing_note_row('customer.created', 'id');

-- Name: omnichannel_customers customers_outgoing_updated; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER customers_outgoing_updated AFTER UPDATE OF name, email, phone, country, language, segment, merged_into_id ON public.omnichannel_customers FOR EACH ROW WHEN ((((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.email)::text IS DISTINCT FROM (new.email)::text) OR ((old.phone)::text IS DISTINCT FROM (new.phone)::text) OR ((old.country)::text IS DISTINCT FROM (new.country)::text) OR ((old.language)::text IS DISTINCT FROM (new.language)::text) OR ((old.segment)::text IS DISTINCT FROM (new.segment)::text) OR (old.merged_into_id IS DISTINCT FROM new.merged_into_id))) EXECUTE FUNCTION public.outgoing_note_row('customer.updated', 'id');

-- Name: exchange_rates exchange_rates_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER exchange_rates_added AFTER INSERT ON public.exchange_rates REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_rates();

-- Name: exchange_rates exchange_rates_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER exchange_rates_changed AFTER UPDATE ON public.exchange_rates REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_changed_rates();

-- Name: exchange_rates exchange_rates_removed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER exchange_rates_removed AFTER DELETE ON public.exchange_rates REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_rates();

-- Name: cross_channel_journeys journeys_analytics_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER journeys_analytics_added AFTER INSERT ON public.cross_channel_journeys REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_journeys();

-- Name: cross_channel_journeys journeys_analytics_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER journeys_analytics_changed AFTER UPDATE OF start_channel_id, started_at, order_id, intent ON public.cross_channel_journeys FOR EACH ROW WHEN (((old.start_channel_id IS DISTINCT FROM new.start_channel_id) OR (old.started_at IS DISTINCT FROM new.started_at) OR ((old.order_id IS NULL) IS DISTINCT FROM (new.order_id IS NULL)) OR (((old.intent)::text = ANY (ARRAY[('support'::character varying)::text, ('return'::character varying)::text, ('review'::character varying)::text])) IS DISTINCT FROM ((new.intent)::text = ANY (ARRAY[('support'::character varying)::text, ('return'::character varying)::text, ('review'::character varying)::text]))))) EXECUTE FUNCTION public.analytics_note_journey();

-- Name: cross_channel_journeys journeys_analytics_removed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER journeys_analytics_removed AFTER DELETE ON public.cross_channel_journeys REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_journeys();

-- Name: cross_channel_journeys journeys_outgoing_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER journeys_outgoing_changed AFTER UPDATE OF state, intent ON public.cross_channel_journeys FOR EACH ROW WHEN ((((old.state)::text IS DISTINCT FROM (new.state)::text) OR ((old.intent)::text IS DISTINCT FROM (new.intent)::text))) EXECUTE FUNCTION public.outgoing_note_journey();

-- Name: cross_channel_journeys journeys_outgoing_started; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER journeys_outgoing_started AFTER INSERT ON public.cross_channel_journeys FOR EACH ROW EXECUTE FUNCTION public.outgoing_note_journey();

-- Name: cross_channel_journeys lake_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_added AFTER INSERT ON public.cross_channel_journeys REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_journeys();

-- Name: journey_touchpoints lake_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_added AFTER INSERT ON public.journey_touchpoints REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_touchpoints();

-- Name: order_lines lake_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_added AFTER INSERT ON public.order_lines REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_order_lines();

-- Name: orders lake_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_added AFTER INSERT ON public.orders REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_orders();

-- Name: cross_channel_journeys lake_after; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_after AFTER UPDATE ON public.cross_channel_journeys REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_journeys();

-- Name: journey_touchpoints lake_after; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_after AFTER UPDATE ON public.journey_touchpoints REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_touchpoints();

-- Name: order_lines lake_after; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_after AFTER UPDATE ON public.order_lines REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_order_lines();

-- Name: orders lake_after; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_after AFTER UPDATE ON public.orders REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_orders();

-- Name: cross_channel_journeys lake_before; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_before AFTER UPDATE ON public.cross_channel_journeys REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_journeys();

-- Name: journey_touchpoints lake_before; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_before AFTER UPDATE ON public.journey_touchpoints REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_touchpoints();

-- Name: order_lines lake_before; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_before AFTER UPDATE ON public.order_lines REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_order_lines();

-- Name: orders lake_before; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_before AFTER UPDATE ON public.orders REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_orders();

-- Name: cross_channel_journeys lake_gone; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_gone AFTER DELETE ON public.cross_channel_journeys REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_journeys();

-- Name: journey_touchpoints lake_gone; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_gone AFTER DELETE ON public.journey_touchpoints REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_touchpoints();

-- Name: order_lines lake_gone; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_gone AFTER DELETE ON public.order_lines REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_order_lines();

-- Name: orders lake_gone; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER lake_gone AFTER DELETE ON public.orders REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.lake_note_orders();

-- Name: cross_channel_journeys live_customers_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_customers_insert AFTER INSERT ON public.cross_channel_journeys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: cross_channel_journeys live_customers_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_customers_update AFTER UPDATE ON public.cross_channel_journeys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: channel_analytics live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.channel_analytics REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('figures', 'sales_channel_id');

-- Name: channel_integrations live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.channel_integrations REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'id');

-- Name: consents live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.consents REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: cross_channel_journeys live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.cross_channel_journeys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('journeys', 'id');

-- Name: dead_letters live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.dead_letters REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'integration_id');

-- Name: fulfilments live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.fulfilments REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: journey_changes live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.journey_changes REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: journey_marks live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.journey_marks REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: notices live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.notices REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('notices', 'id');

-- Name: order_requests live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.order_requests REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('drafts', 'id');

-- Name: orders live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.orders REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'id');

-- Name: pickups live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.pickups REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: returns live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.returns REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: stock_alerts live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.stock_alerts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('alerts', 'variant_id');

-- Name: stock_counts live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.stock_counts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('papers', 'id');

-- Name: stock_pool live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.stock_pool REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('stock', 'variant_id');

-- Name: sync_runs live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.sync_runs REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'integration_id');

-- Name: transfers live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.transfers REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('papers', 'id');

-- Name: wishlists live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.wishlists REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: works live_insert; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_insert AFTER INSERT ON public.works REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('bulk', 'id');

-- Name: channel_analytics live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.channel_analytics REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('figures', 'sales_channel_id');

-- Name: channel_integrations live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.channel_integrations REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'id');

-- Name: consents live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.consents REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: cross_channel_journeys live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.cross_channel_journeys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('journeys', 'id');

-- Name: dead_letters live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.dead_letters REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'integration_id');

-- Name: fulfilments live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.fulfilments REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: journey_changes live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.journey_changes REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: journey_marks live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.journey_marks REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: notices live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.notices REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('notices', 'id');

-- Name: order_requests live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.order_requests REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('drafts', 'id');

-- Name: orders live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.orders REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'id');

-- Name: pickups live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.pickups REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: returns live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.returns REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('orders', 'order_id');

-- Name: stock_alerts live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.stock_alerts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('alerts', 'variant_id');

-- Name: stock_counts live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.stock_counts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('papers', 'id');

-- Name: stock_pool live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.stock_pool REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('stock', 'variant_id');

-- Name: sync_runs live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.sync_runs REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('integrations', 'integration_id');

-- Name: transfers live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.transfers REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('papers', 'id');

-- Name: wishlists live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.wishlists REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('customers', 'customer_id');

-- Name: works live_update; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER live_update AFTER UPDATE ON public.works REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.live_tell('bulk', 'id');

-- Name: merchant merchant_currency_said; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER merchant_currency_said AFTER INSERT OR DELETE OR UPDATE ON public.merchant FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_currency();

-- Name: order_events order_events_outgoing; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER order_events_outgoing AFTER INSERT ON public.order_events REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.outgoing_note_orders();

-- Name: order_lines order_lines_analytics_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER order_lines_analytics_added AFTER INSERT ON public.order_lines REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_lines();

-- Name: order_lines order_lines_analytics_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER order_lines_analytics_changed AFTER UPDATE OF order_id, kind, quantity, cancelled_quantity, returned_quantity, tax ON public.order_lines FOR EACH ROW WHEN (((old.order_id IS DISTINCT FROM new.order_id) OR ((old.kind)::text IS DISTINCT FROM (new.kind)::text) OR (old.quantity IS DISTINCT FROM new.quantity) OR (old.cancelled_quantity IS DISTINCT FROM new.cancelled_quantity) OR (old.returned_quantity IS DISTINCT FROM new.returned_quantity) OR (old.tax IS DISTINCT FROM new.tax))) EXECUTE FUNCTION public.analytics_note_line();

-- Name: order_lines order_lines_analytics_removed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER order_lines_analytics_removed AFTER DELETE ON public.order_lines REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_lines();

-- Name: orders orders_analytics_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_analytics_added AFTER INSERT ON public.orders REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_orders();

-- Name: orders orders_analytics_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_analytics_changed AFTER UPDATE OF sales_channel_id, customer_id, placed_at, state, currency, goods, discount, shipping, fees, tax, tax_included, total, refunded ON public.orders FOR EACH ROW WHEN (((old.sales_channel_id IS DISTINCT FROM new.sales_channel_id) OR (old.customer_id IS DISTINCT FROM new.customer_id) OR (old.placed_at IS DISTINCT FROM new.placed_at) OR (((old.state)::text = 'cancelled'::text) IS DISTINCT FROM ((new.state)::text = 'cancelled'::text)) OR ((old.currency)::text IS DISTINCT FROM (new.currency)::text) OR (old.goods IS DISTINCT FROM new.goods) OR (old.discount IS DISTINCT FROM new.discount) OR (old.shipping IS DISTINCT FROM new.shipping) OR (old.fees IS DISTINCT FROM new.fees) OR (old.tax IS DISTINCT FROM new.tax) OR (old.tax_included IS DISTINCT FROM new.tax_included) OR (old.total IS DISTINCT FROM new.total) OR (old.refunded IS DISTINCT FROM new.refunded))) EXECUTE FUNCTION public.analytics_note_order();

-- Name: orders orders_analytics_removed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_analytics_removed AFTER DELETE ON public.orders REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.analytics_note_orders();

-- Name: orders orders_journeys_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_journeys_added AFTER INSERT ON public.orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.journeys_note_new_orders();

-- Name: orders orders_journeys_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_journeys_changed AFTER UPDATE OF state, customer_id, placed_at, goods, discount, currency ON public.orders FOR EACH ROW WHEN (((((old.state)::text = 'cancelled'::text) IS DISTINCT FROM ((new.state)::text = 'cancelled'::text)) OR (old.customer_id IS DISTINCT FROM new.customer_id) OR (old.placed_at IS DISTINCT FROM new.placed_at) OR (old.goods IS DISTINCT FROM new.goods) OR (old.discount IS DISTINCT FROM new.discount) OR ((old.currency)::text IS DISTINCT FROM (new.currency)::text))) EXECUTE FUNCTION public.journeys_note_order();

-- Name: orders orders_of_the_erased; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER orders_of_the_erased BEFORE INSERT OR UPDATE OF email, phone, shipping_address, billing_address, raw, customer_id ON public.orders FOR EACH ROW WHEN (((new.customer_id IS NOT NULL) AND (((new.email)::text <> ''::text) OR ((new.phone)::text <> ''::text) OR (new.raw <> '{}'::jsonb) OR (new.shipping_address <> '{}'::jsonb) OR (new.billing_address <> '{}'::jsonb)))) EXECUTE FUNCTION public.orders_of_the_erased();

-- Name: procrastinate_jobs procrastinate_jobs_notify_queue_job_aborted_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_notify_queue_abort_job_v1();

-- Name: procrastinate_jobs procrastinate_jobs_notify_queue_job_inserted_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_notify_queue_job_inserted_v1();

-- Name: procrastinate_jobs procrastinate_trigger_abort_requested_events_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1();

-- Name: procrastinate_jobs procrastinate_trigger_delete_jobs_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_unlink_periodic_defers_v1();

-- Name: procrastinate_jobs procrastinate_trigger_scheduled_events_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1();

-- Name: procrastinate_jobs procrastinate_trigger_status_events_insert_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1();

-- Name: procrastinate_jobs procrastinate_trigger_status_events_update_v1; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_update_v1();

-- Name: returns returns_journeys_added; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER returns_journeys_added AFTER INSERT ON public.returns REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.journeys_note_new_returns();

-- Name: returns returns_journeys_changed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER returns_journeys_changed AFTER UPDATE OF state, customer_id, order_id, exchange_order_id, at ON public.returns FOR EACH ROW WHEN (((((old.state)::text = 'cancelled'::text) IS DISTINCT FROM ((new.state)::text = 'cancelled'::text)) OR (old.customer_id IS DISTINCT FROM new.customer_id) OR (old.order_id IS DISTINCT FROM new.order_id) OR (old.exchange_order_id IS DISTINCT FROM new.exchange_order_id) OR (old.at IS DISTINCT FROM new.at))) EXECUTE FUNCTION public.journeys_note_return();

-- Name: stock_alerts stock_alerts_outgoing_closed; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER stock_alerts_outgoing_closed AFTER UPDATE OF closed_at ON public.stock_alerts FOR EACH ROW WHEN (((old.closed_at IS NULL) AND (new.closed_at IS NOT NULL))) EXECUTE FUNCTION public.outgoing_note_row('stock.alert_closed', 'id');

-- Name: stock_alerts stock_alerts_outgoing_opened; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER stock_alerts_outgoing_opened AFTER INSERT ON public.stock_alerts FOR EACH ROW EXECUTE FUNCTION public.outgoing_note_row('stock.alert_opened', 'id');

-- Name: stock_movement stock_movement_append_only; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER stock_movement_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.stock_movement FOR EACH STATEMENT EXECUTE FUNCTION public.stock_refuse_change();

-- Name: stock_pool stock_pool_outgoing; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER stock_pool_outgoing AFTER UPDATE OF alerts_due ON public.stock_pool FOR EACH ROW WHEN ((old.alerts_due AND (NOT new.alerts_due))) EXECUTE FUNCTION public.outgoing_note_row('stock.changed', 'variant_id');

-- Name: variants variants_open_pools; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER variants_open_pools AFTER INSERT ON public.variants REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.stock_open_pools();

-- Name: agent_doors agent_doors_endpoint_id_33e3699e_fk_webhook_endpoints_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_endpoint_id_33e3699e_fk_webhook_endpoints_id FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoints(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: agent_doors agent_doors_payment_id_25e838a0_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_payment_id_25e838a0_fk_channel_integrations_id FOREIGN KEY (payment_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: agent_doors agent_doors_sales_channel_id_5d768ee4_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_doors
    ADD CONSTRAINT agent_doors_sales_channel_id_5d768ee4_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: agent_sessions agent_sessions_cart_id_2b88eab3_fk_carts_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_cart_id_2b88eab3_fk_carts_id FOREIGN KEY (cart_id) REFERENCES public.carts(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: agent_sessions agent_sessions_sales_channel_id_3de8a542_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_sales_channel_id_3de8a542_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: api_audit api_audit_key_id_7dc54ec8_fk_api_keys_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_audit
    ADD CONSTRAINT api_audit_key_id_7dc54ec8_fk_api_keys_id FOREIGN KEY (key_id) REFERENCES public.api_keys(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: api_keys api_keys_replaced_by_id_fdd29c92_fk_api_keys_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_replaced_by_id_fdd29c92_fk_api_keys_id FOREIGN KEY (replaced_by_id) REFERENCES public.api_keys(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_group_permissions auth_group_permissio_permission_id_84c5c92e_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_group_permissions auth_group_permissions_group_id_b120cbf9_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_permission auth_permission_content_type_id_2f476e4b_fk_django_co; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_user_groups auth_user_groups_group_id_97559544_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_user_groups auth_user_groups_user_id_6a12ed8b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_user_user_permissions auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: best_sellers best_sellers_sales_channel_id_d5e6154b_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.best_sellers
    ADD CONSTRAINT best_sellers_sales_channel_id_d5e6154b_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: best_sellers best_sellers_variant_id_b8aff4e8_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.best_sellers
    ADD CONSTRAINT best_sellers_variant_id_b8aff4e8_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: bundle_components bundle_components_bundle_id_cd824dfb_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.bundle_components
    ADD CONSTRAINT bundle_components_bundle_id_cd824dfb_fk_variants_id FOREIGN KEY (bundle_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: bundle_components bundle_components_component_id_8add7ed8_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.bundle_components
    ADD CONSTRAINT bundle_components_component_id_8add7ed8_fk_variants_id FOREIGN KEY (component_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: cart_lines cart_lines_cart_id_e175470b_fk_carts_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cart_lines
    ADD CONSTRAINT cart_lines_cart_id_e175470b_fk_carts_id FOREIGN KEY (cart_id) REFERENCES public.carts(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: cart_lines cart_lines_variant_id_1ba5dda3_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cart_lines
    ADD CONSTRAINT cart_lines_variant_id_1ba5dda3_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: carts carts_customer_id_478bc68c_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.carts
    ADD CONSTRAINT carts_customer_id_478bc68c_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: carts carts_order_id_89a6b74a_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.carts
    ADD CONSTRAINT carts_order_id_89a6b74a_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: carts carts_sales_channel_id_c7511063_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.carts
    ADD CONSTRAINT carts_sales_channel_id_c7511063_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: categories categories_parent_id_fc02df82_fk_categories_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT categories_parent_id_fc02df82_fk_categories_id FOREIGN KEY (parent_id) REFERENCES public.categories(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_analytics channel_analytics_sales_channel_id_ade63068_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_analytics
    ADD CONSTRAINT channel_analytics_sales_channel_id_ade63068_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_integrations channel_integrations_sales_channel_id_a231fc5c_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_integrations
    ADD CONSTRAINT channel_integrations_sales_channel_id_a231fc5c_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_inventories channel_inventories_sales_channel_id_63fd0983_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_inventories
    ADD CONSTRAINT channel_inventories_sales_channel_id_63fd0983_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_inventories channel_inventories_variant_id_19e9137d_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_inventories
    ADD CONSTRAINT channel_inventories_variant_id_19e9137d_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_preferences channel_preferences_customer_id_afcb8f33_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_preferences
    ADD CONSTRAINT channel_preferences_customer_id_afcb8f33_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_preferences channel_preferences_sales_channel_id_f7146060_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_preferences
    ADD CONSTRAINT channel_preferences_sales_channel_id_f7146060_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_products channel_products_sales_channel_id_8cde0c94_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_products
    ADD CONSTRAINT channel_products_sales_channel_id_8cde0c94_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_products channel_products_variant_id_be194f4b_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_products
    ADD CONSTRAINT channel_products_variant_id_be194f4b_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_sources channel_sources_location_id_4ffc513d_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_sources
    ADD CONSTRAINT channel_sources_location_id_4ffc513d_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: channel_sources channel_sources_sales_channel_id_596ed086_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.channel_sources
    ADD CONSTRAINT channel_sources_sales_channel_id_596ed086_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: chat_answers chat_answers_integration_id_c4883e5d_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_answers
    ADD CONSTRAINT chat_answers_integration_id_c4883e5d_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: chat_talks chat_talks_customer_id_c662af51_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_talks
    ADD CONSTRAINT chat_talks_customer_id_c662af51_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: chat_talks chat_talks_integration_id_98f89bdf_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chat_talks
    ADD CONSTRAINT chat_talks_integration_id_98f89bdf_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: consents consents_customer_id_d9a03463_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_customer_id_d9a03463_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: consents consents_sales_channel_id_be0aab11_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_sales_channel_id_be0aab11_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: credentials credentials_integration_id_e54f5d45_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_integration_id_e54f5d45_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: cross_channel_journeys cross_channel_journe_customer_id_d6f1074d_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cross_channel_journeys
    ADD CONSTRAINT cross_channel_journe_customer_id_d6f1074d_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: cross_channel_journeys cross_channel_journe_start_channel_id_ea3899eb_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cross_channel_journeys
    ADD CONSTRAINT cross_channel_journe_start_channel_id_ea3899eb_fk_sales_cha FOREIGN KEY (start_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: cross_channel_journeys cross_channel_journeys_order_id_c4dab9f7_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.cross_channel_journeys
    ADD CONSTRAINT cross_channel_journeys_order_id_c4dab9f7_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: customer_identities customer_identities_customer_id_561eb601_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_identities
    ADD CONSTRAINT customer_identities_customer_id_561eb601_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: customer_merges customer_merges_first_id_f187457e_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_merges
    ADD CONSTRAINT customer_merges_first_id_f187457e_fk_omnichannel_customers_id FOREIGN KEY (first_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: customer_merges customer_merges_second_id_31a1bb08_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_merges
    ADD CONSTRAINT customer_merges_second_id_31a1bb08_fk_omnichannel_customers_id FOREIGN KEY (second_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: customer_values customer_values_model_id_e20ed55c_fk_value_models_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_values
    ADD CONSTRAINT customer_values_model_id_e20ed55c_fk_value_models_id FOREIGN KEY (model_id) REFERENCES public.value_models(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: customer_values customer_values_person_id_454ef5af_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.customer_values
    ADD CONSTRAINT customer_values_person_id_454ef5af_fk_omnichannel_customers_id FOREIGN KEY (person_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: dead_letters dead_letters_integration_id_33bef786_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_integration_id_33bef786_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: demand_forecasts demand_forecasts_location_id_c63f978b_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.demand_forecasts
    ADD CONSTRAINT demand_forecasts_location_id_c63f978b_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: demand_forecasts demand_forecasts_variant_id_acd6aa14_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.demand_forecasts
    ADD CONSTRAINT demand_forecasts_variant_id_acd6aa14_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: django_admin_log django_admin_log_content_type_id_c4bce8eb_fk_django_co; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_content_type_id_c4bce8eb_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: django_admin_log django_admin_log_user_id_c564eba6_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_user_id_c564eba6_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: drift_findings drift_findings_integration_id_3b9279e4_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.drift_findings
    ADD CONSTRAINT drift_findings_integration_id_3b9279e4_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: drift_findings drift_findings_listing_id_c851ae22_fk_channel_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.drift_findings
    ADD CONSTRAINT drift_findings_listing_id_c851ae22_fk_channel_products_id FOREIGN KEY (listing_id) REFERENCES public.channel_products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: drift_findings drift_findings_run_id_477c3552_fk_sync_runs_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.drift_findings
    ADD CONSTRAINT drift_findings_run_id_477c3552_fk_sync_runs_id FOREIGN KEY (run_id) REFERENCES public.sync_runs(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: due_changes due_changes_listing_id_8d7d6a99_fk_channel_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_changes
    ADD CONSTRAINT due_changes_listing_id_8d7d6a99_fk_channel_products_id FOREIGN KEY (listing_id) REFERENCES public.channel_products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: due_events due_events_integration_id_a3609798_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_events
    ADD CONSTRAINT due_events_integration_id_a3609798_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: due_notices due_notices_integration_id_ec09e85a_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_notices
    ADD CONSTRAINT due_notices_integration_id_ec09e85a_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: due_records due_records_integration_id_ff4cadfc_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.due_records
    ADD CONSTRAINT due_records_integration_id_ff4cadfc_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: erased_identities erased_identities_customer_id_92a4beec_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.erased_identities
    ADD CONSTRAINT erased_identities_customer_id_92a4beec_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: event_names event_names_sales_channel_id_4220941b_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.event_names
    ADD CONSTRAINT event_names_sales_channel_id_4220941b_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: events_set_aside events_set_aside_sales_channel_id_ac60857a_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.events_set_aside
    ADD CONSTRAINT events_set_aside_sales_channel_id_ac60857a_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: expected_receipts expected_receipts_location_id_2f4f2647_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.expected_receipts
    ADD CONSTRAINT expected_receipts_location_id_2f4f2647_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: expected_receipts expected_receipts_variant_id_dbcd0575_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.expected_receipts
    ADD CONSTRAINT expected_receipts_variant_id_dbcd0575_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: external_ids external_ids_integration_id_9b1c16fc_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.external_ids
    ADD CONSTRAINT external_ids_integration_id_9b1c16fc_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: fulfilment_lines fulfilment_lines_fulfilment_id_1f5de6a7_fk_fulfilments_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilment_lines
    ADD CONSTRAINT fulfilment_lines_fulfilment_id_1f5de6a7_fk_fulfilments_id FOREIGN KEY (fulfilment_id) REFERENCES public.fulfilments(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: fulfilment_lines fulfilment_lines_order_line_id_133bc4eb_fk_order_lines_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilment_lines
    ADD CONSTRAINT fulfilment_lines_order_line_id_133bc4eb_fk_order_lines_id FOREIGN KEY (order_line_id) REFERENCES public.order_lines(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: fulfilment_lines fulfilment_lines_variant_id_0d5db188_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilment_lines
    ADD CONSTRAINT fulfilment_lines_variant_id_0d5db188_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: fulfilments fulfilments_location_id_d8c7c518_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilments
    ADD CONSTRAINT fulfilments_location_id_d8c7c518_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: fulfilments fulfilments_order_id_5dac27b4_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.fulfilments
    ADD CONSTRAINT fulfilments_order_id_5dac27b4_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: goods_affinities goods_affinities_other_id_e1feb6e8_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.goods_affinities
    ADD CONSTRAINT goods_affinities_other_id_e1feb6e8_fk_variants_id FOREIGN KEY (other_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: goods_affinities goods_affinities_variant_id_114ebc80_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.goods_affinities
    ADD CONSTRAINT goods_affinities_variant_id_114ebc80_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: imported_lines imported_lines_sales_channel_id_651de5ad_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.imported_lines
    ADD CONSTRAINT imported_lines_sales_channel_id_651de5ad_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: integration_health integration_health_integration_id_514131ae_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.integration_health
    ADD CONSTRAINT integration_health_integration_id_514131ae_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: item_links item_links_integration_id_56bb63d3_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.item_links
    ADD CONSTRAINT item_links_integration_id_56bb63d3_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: item_links item_links_variant_id_cfe123bb_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.item_links
    ADD CONSTRAINT item_links_variant_id_cfe123bb_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: journey_touchpoints journey_touchpoints_journey_id_434c7315_fk_cross_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_touchpoints
    ADD CONSTRAINT journey_touchpoints_journey_id_434c7315_fk_cross_cha FOREIGN KEY (journey_id) REFERENCES public.cross_channel_journeys(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: journey_touchpoints journey_touchpoints_sales_channel_id_ac0b7c86_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_touchpoints
    ADD CONSTRAINT journey_touchpoints_sales_channel_id_ac0b7c86_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: journey_touchpoints journey_touchpoints_switched_from_id_bb2eca05_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.journey_touchpoints
    ADD CONSTRAINT journey_touchpoints_switched_from_id_bb2eca05_fk_sales_cha FOREIGN KEY (switched_from_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: listing_links listing_links_integration_id_7b52a6e6_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_links
    ADD CONSTRAINT listing_links_integration_id_7b52a6e6_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: listing_links listing_links_listing_id_c0494bac_fk_channel_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_links
    ADD CONSTRAINT listing_links_listing_id_c0494bac_fk_channel_products_id FOREIGN KEY (listing_id) REFERENCES public.channel_products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: listing_prices listing_prices_listing_id_954deaeb_fk_channel_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.listing_prices
    ADD CONSTRAINT listing_prices_listing_id_954deaeb_fk_channel_products_id FOREIGN KEY (listing_id) REFERENCES public.channel_products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: lost_steps lost_steps_sales_channel_id_df0e45c5_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.lost_steps
    ADD CONSTRAINT lost_steps_sales_channel_id_df0e45c5_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: mail_doors mail_doors_sales_channel_id_e77048ef_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_doors
    ADD CONSTRAINT mail_doors_sales_channel_id_e77048ef_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: mail_texts mail_texts_integration_id_d24c65bb_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.mail_texts
    ADD CONSTRAINT mail_texts_integration_id_d24c65bb_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: master_counts master_counts_integration_id_0de05336_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.master_counts
    ADD CONSTRAINT master_counts_integration_id_0de05336_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: master_counts master_counts_location_id_1892b77f_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.master_counts
    ADD CONSTRAINT master_counts_location_id_1892b77f_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: master_counts master_counts_variant_id_f44b2e28_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.master_counts
    ADD CONSTRAINT master_counts_variant_id_f44b2e28_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: merge_suggestions merge_suggestions_first_id_6b254d1e_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.merge_suggestions
    ADD CONSTRAINT merge_suggestions_first_id_6b254d1e_fk_omnichannel_customers_id FOREIGN KEY (first_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: merge_suggestions merge_suggestions_second_id_eeccfb2d_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.merge_suggestions
    ADD CONSTRAINT merge_suggestions_second_id_eeccfb2d_fk_omnichann FOREIGN KEY (second_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: names_elsewhere names_elsewhere_integration_id_00af094d_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.names_elsewhere
    ADD CONSTRAINT names_elsewhere_integration_id_00af094d_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: next_actions next_actions_customer_id_eba05eed_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.next_actions
    ADD CONSTRAINT next_actions_customer_id_eba05eed_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: next_actions next_actions_sales_channel_id_6144b15c_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.next_actions
    ADD CONSTRAINT next_actions_sales_channel_id_6144b15c_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: next_actions next_actions_variant_id_f33a5a25_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.next_actions
    ADD CONSTRAINT next_actions_variant_id_f33a5a25_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_mail_lines notice_mail_lines_mail_id_f0a21360_fk_notice_mails_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mail_lines
    ADD CONSTRAINT notice_mail_lines_mail_id_f0a21360_fk_notice_mails_id FOREIGN KEY (mail_id) REFERENCES public.notice_mails(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_mail_lines notice_mail_lines_notice_id_221f83af_fk_notices_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mail_lines
    ADD CONSTRAINT notice_mail_lines_notice_id_221f83af_fk_notices_id FOREIGN KEY (notice_id) REFERENCES public.notices(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_mail_lines notice_mail_lines_user_id_cfd83105_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mail_lines
    ADD CONSTRAINT notice_mail_lines_user_id_cfd83105_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_mails notice_mails_user_id_4a3c02c4_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_mails
    ADD CONSTRAINT notice_mails_user_id_4a3c02c4_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_readings notice_readings_notice_id_4ce5827b_fk_notices_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_readings
    ADD CONSTRAINT notice_readings_notice_id_4ce5827b_fk_notices_id FOREIGN KEY (notice_id) REFERENCES public.notices(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_readings notice_readings_user_id_36e30f5a_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_readings
    ADD CONSTRAINT notice_readings_user_id_36e30f5a_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: notice_wishes notice_wishes_user_id_ef923825_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.notice_wishes
    ADD CONSTRAINT notice_wishes_user_id_ef923825_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: omnichannel_customers omnichannel_customer_merged_into_id_efdacc18_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.omnichannel_customers
    ADD CONSTRAINT omnichannel_customer_merged_into_id_efdacc18_fk_omnichann FOREIGN KEY (merged_into_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: omnichannel_customers omnichannel_customers_user_id_781aa57c_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.omnichannel_customers
    ADD CONSTRAINT omnichannel_customers_user_id_781aa57c_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_events order_events_order_id_9a531e20_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_order_id_9a531e20_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_import_refusals order_import_refusal_order_import_id_a4f7a36d_fk_order_imp; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_import_refusals
    ADD CONSTRAINT order_import_refusal_order_import_id_a4f7a36d_fk_order_imp FOREIGN KEY (order_import_id) REFERENCES public.order_imports(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_imports order_imports_sales_channel_id_a2893483_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_imports
    ADD CONSTRAINT order_imports_sales_channel_id_a2893483_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_lines order_lines_order_id_5e8377ca_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_order_id_5e8377ca_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_lines order_lines_variant_id_2b72699b_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_variant_id_2b72699b_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_promises order_promises_order_line_id_d0ddf32b_fk_order_lines_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_promises
    ADD CONSTRAINT order_promises_order_line_id_d0ddf32b_fk_order_lines_id FOREIGN KEY (order_line_id) REFERENCES public.order_lines(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_promises order_promises_reservation_id_b2213ab5_fk_reservation_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_promises
    ADD CONSTRAINT order_promises_reservation_id_b2213ab5_fk_reservation_id FOREIGN KEY (reservation_id) REFERENCES public.reservation(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_promises order_promises_variant_id_591e11c3_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_promises
    ADD CONSTRAINT order_promises_variant_id_591e11c3_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_request_lines order_request_lines_request_id_ff746eb9_fk_order_requests_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_request_lines
    ADD CONSTRAINT order_request_lines_request_id_ff746eb9_fk_order_requests_id FOREIGN KEY (request_id) REFERENCES public.order_requests(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_request_lines order_request_lines_variant_id_1a5311d4_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_request_lines
    ADD CONSTRAINT order_request_lines_variant_id_1a5311d4_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_requests order_requests_customer_id_8b2cbb78_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_requests
    ADD CONSTRAINT order_requests_customer_id_8b2cbb78_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_requests order_requests_order_id_0d12d6e9_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_requests
    ADD CONSTRAINT order_requests_order_id_0d12d6e9_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: order_requests order_requests_sales_channel_id_e918b3b3_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.order_requests
    ADD CONSTRAINT order_requests_sales_channel_id_e918b3b3_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: orders orders_customer_id_b7016332_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_customer_id_b7016332_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: orders orders_reservation_id_4ee0347e_fk_reservation_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_reservation_id_4ee0347e_fk_reservation_id FOREIGN KEY (reservation_id) REFERENCES public.reservation(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: orders orders_sales_channel_id_75c43b85_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_sales_channel_id_75c43b85_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: outgoing_deliveries outgoing_deliveries_endpoint_id_c7ed87ec_fk_webhook_e; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outgoing_deliveries
    ADD CONSTRAINT outgoing_deliveries_endpoint_id_c7ed87ec_fk_webhook_e FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoints(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: outgoing_deliveries outgoing_deliveries_event_id_0d8564d3_fk_outgoing_events_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outgoing_deliveries
    ADD CONSTRAINT outgoing_deliveries_event_id_0d8564d3_fk_outgoing_events_id FOREIGN KEY (event_id) REFERENCES public.outgoing_events(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: outside_figures outside_figures_integration_id_bba4ad59_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.outside_figures
    ADD CONSTRAINT outside_figures_integration_id_bba4ad59_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: own_letters own_letters_integration_id_c6c1fb40_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_integration_id_c6c1fb40_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: own_letters own_letters_order_id_2f7b26d5_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_order_id_2f7b26d5_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: own_letters own_letters_request_id_c061ae0a_fk_order_requests_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_request_id_c061ae0a_fk_order_requests_id FOREIGN KEY (request_id) REFERENCES public.order_requests(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: own_letters own_letters_sales_channel_id_71e49308_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.own_letters
    ADD CONSTRAINT own_letters_sales_channel_id_71e49308_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: payment_pages payment_pages_integration_id_63c7f08d_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payment_pages
    ADD CONSTRAINT payment_pages_integration_id_63c7f08d_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: payment_pages payment_pages_order_id_ed502bd1_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payment_pages
    ADD CONSTRAINT payment_pages_order_id_ed502bd1_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: payments payments_order_id_6086ad70_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_order_id_6086ad70_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: phone_calls phone_calls_cart_id_47283317_fk_carts_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_cart_id_47283317_fk_carts_id FOREIGN KEY (cart_id) REFERENCES public.carts(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: phone_calls phone_calls_customer_id_abc6ca5c_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_customer_id_abc6ca5c_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: phone_calls phone_calls_order_id_aff66642_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_order_id_aff66642_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: phone_calls phone_calls_sales_channel_id_711863db_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.phone_calls
    ADD CONSTRAINT phone_calls_sales_channel_id_711863db_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: pickups pickups_location_id_29f821ab_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.pickups
    ADD CONSTRAINT pickups_location_id_29f821ab_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: pickups pickups_order_id_f06b7528_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.pickups
    ADD CONSTRAINT pickups_order_id_f06b7528_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: place_mappings place_mappings_integration_id_16f6165c_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.place_mappings
    ADD CONSTRAINT place_mappings_integration_id_16f6165c_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: place_mappings place_mappings_sales_channel_id_4c439952_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.place_mappings
    ADD CONSTRAINT place_mappings_sales_channel_id_4c439952_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: place_mappings place_mappings_stock_location_id_76895714_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.place_mappings
    ADD CONSTRAINT place_mappings_stock_location_id_76895714_fk_stock_locations_id FOREIGN KEY (stock_location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: procrastinate_events procrastinate_events_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id) ON DELETE CASCADE;

-- Name: procrastinate_jobs procrastinate_jobs_worker_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.procrastinate_workers(id) ON DELETE SET NULL;

-- Name: procrastinate_periodic_defers procrastinate_periodic_defers_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id);

-- Name: product_images product_images_product_id_28ebf5f0_fk_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.product_images
    ADD CONSTRAINT product_images_product_id_28ebf5f0_fk_products_id FOREIGN KEY (product_id) REFERENCES public.products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: products products_category_id_a7a3a156_fk_categories_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_category_id_a7a3a156_fk_categories_id FOREIGN KEY (category_id) REFERENCES public.categories(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: push_records push_records_integration_id_88747e19_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.push_records
    ADD CONSTRAINT push_records_integration_id_88747e19_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: push_records push_records_listing_id_955168ca_fk_channel_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.push_records
    ADD CONSTRAINT push_records_listing_id_955168ca_fk_channel_products_id FOREIGN KEY (listing_id) REFERENCES public.channel_products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: rate_budgets rate_budgets_integration_id_e1310d74_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.rate_budgets
    ADD CONSTRAINT rate_budgets_integration_id_e1310d74_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: refunds refunds_order_id_33f103bc_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_order_id_33f103bc_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: refunds refunds_payment_id_075bbbe0_fk_payments_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_payment_id_075bbbe0_fk_payments_id FOREIGN KEY (payment_id) REFERENCES public.payments(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: refunds refunds_return_record_id_955de2e9_fk_returns_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_return_record_id_955de2e9_fk_returns_id FOREIGN KEY (return_record_id) REFERENCES public.returns(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: return_lines return_lines_location_id_a32331d9_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_location_id_a32331d9_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: return_lines return_lines_order_line_id_7ecba91b_fk_order_lines_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_order_line_id_7ecba91b_fk_order_lines_id FOREIGN KEY (order_line_id) REFERENCES public.order_lines(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: return_lines return_lines_return_record_id_58dc2fe0_fk_returns_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_return_record_id_58dc2fe0_fk_returns_id FOREIGN KEY (return_record_id) REFERENCES public.returns(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: return_lines return_lines_variant_id_3a06061e_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_variant_id_3a06061e_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: returns returns_customer_id_178e7f27_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_customer_id_178e7f27_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: returns returns_exchange_order_id_fcb2b9a5_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_exchange_order_id_fcb2b9a5_fk_orders_id FOREIGN KEY (exchange_order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: returns returns_order_id_e622903d_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_order_id_e622903d_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: returns returns_sales_channel_id_f4007819_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_sales_channel_id_f4007819_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: segment_changes segment_changes_person_id_a766d387_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_changes
    ADD CONSTRAINT segment_changes_person_id_a766d387_fk_omnichannel_customers_id FOREIGN KEY (person_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: segment_members segment_members_person_id_ac42a0d8_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_person_id_ac42a0d8_fk_omnichannel_customers_id FOREIGN KEY (person_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: segment_members segment_members_segment_id_957bdfa7_fk_segments_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_segment_id_957bdfa7_fk_segments_id FOREIGN KEY (segment_id) REFERENCES public.segments(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shipping_labels shipping_labels_fulfilment_id_71a3d800_fk_fulfilments_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shipping_labels
    ADD CONSTRAINT shipping_labels_fulfilment_id_71a3d800_fk_fulfilments_id FOREIGN KEY (fulfilment_id) REFERENCES public.fulfilments(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shipping_labels shipping_labels_integration_id_0fbaade0_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shipping_labels
    ADD CONSTRAINT shipping_labels_integration_id_0fbaade0_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shop_devices shop_devices_sales_channel_id_4f355758_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shop_devices
    ADD CONSTRAINT shop_devices_sales_channel_id_4f355758_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shop_keys shop_keys_sales_channel_id_13d971bf_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shop_keys
    ADD CONSTRAINT shop_keys_sales_channel_id_13d971bf_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shopper_sessions shopper_sessions_customer_id_46d52834_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shopper_sessions
    ADD CONSTRAINT shopper_sessions_customer_id_46d52834_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: shopper_sessions shopper_sessions_sales_channel_id_2ba5df73_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.shopper_sessions
    ADD CONSTRAINT shopper_sessions_sales_channel_id_2ba5df73_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: sign_in_codes sign_in_codes_sales_channel_id_b627fe11_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sign_in_codes
    ADD CONSTRAINT sign_in_codes_sales_channel_id_b627fe11_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: staff_bindings staff_bindings_user_id_34c65915_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staff_bindings
    ADD CONSTRAINT staff_bindings_user_id_34c65915_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_advice stock_advice_location_id_8e87c98a_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_advice
    ADD CONSTRAINT stock_advice_location_id_8e87c98a_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_advice stock_advice_sales_channel_id_930560fa_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_advice
    ADD CONSTRAINT stock_advice_sales_channel_id_930560fa_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_advice stock_advice_source_id_c04b4357_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_advice
    ADD CONSTRAINT stock_advice_source_id_c04b4357_fk_stock_locations_id FOREIGN KEY (source_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_advice stock_advice_variant_id_2f932a4f_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_advice
    ADD CONSTRAINT stock_advice_variant_id_2f932a4f_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_alerts stock_alerts_location_id_9fe711e2_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_alerts
    ADD CONSTRAINT stock_alerts_location_id_9fe711e2_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_alerts stock_alerts_sales_channel_id_cb4f56f2_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_alerts
    ADD CONSTRAINT stock_alerts_sales_channel_id_cb4f56f2_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_alerts stock_alerts_variant_id_80657a3f_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_alerts
    ADD CONSTRAINT stock_alerts_variant_id_80657a3f_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_count_lines stock_count_lines_count_id_374913c8_fk_stock_counts_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_count_lines
    ADD CONSTRAINT stock_count_lines_count_id_374913c8_fk_stock_counts_id FOREIGN KEY (count_id) REFERENCES public.stock_counts(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_count_lines stock_count_lines_variant_id_86cd7d12_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_count_lines
    ADD CONSTRAINT stock_count_lines_variant_id_86cd7d12_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_counts stock_counts_location_id_7b9ab69f_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_counts
    ADD CONSTRAINT stock_counts_location_id_7b9ab69f_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_item stock_item_location_id_191d0b55_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_item
    ADD CONSTRAINT stock_item_location_id_191d0b55_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_item stock_item_variant_id_6d4ec55c_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_item
    ADD CONSTRAINT stock_item_variant_id_6d4ec55c_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stock_pool stock_pool_variant_id_48234f42_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stock_pool
    ADD CONSTRAINT stock_pool_variant_id_48234f42_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: stream_cursors stream_cursors_integration_id_503bb7b4_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.stream_cursors
    ADD CONSTRAINT stream_cursors_integration_id_503bb7b4_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: supply_terms supply_terms_location_id_61f49d8c_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.supply_terms
    ADD CONSTRAINT supply_terms_location_id_61f49d8c_fk_stock_locations_id FOREIGN KEY (location_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: sync_runs sync_runs_integration_id_87d0dd1f_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_integration_id_87d0dd1f_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: tickets tickets_integration_id_4ae23300_fk_channel_integrations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_integration_id_4ae23300_fk_channel_integrations_id FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: tickets tickets_order_id_c3c341a7_fk_orders_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_order_id_c3c341a7_fk_orders_id FOREIGN KEY (order_id) REFERENCES public.orders(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: transfer_lines transfer_lines_transfer_id_0f1ec8b5_fk_transfers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfer_lines
    ADD CONSTRAINT transfer_lines_transfer_id_0f1ec8b5_fk_transfers_id FOREIGN KEY (transfer_id) REFERENCES public.transfers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: transfer_lines transfer_lines_variant_id_bedd10c8_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfer_lines
    ADD CONSTRAINT transfer_lines_variant_id_bedd10c8_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: transfers transfers_destination_id_2e3f9a80_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_destination_id_2e3f9a80_fk_stock_locations_id FOREIGN KEY (destination_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: transfers transfers_source_id_e5415efd_fk_stock_locations_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_source_id_e5415efd_fk_stock_locations_id FOREIGN KEY (source_id) REFERENCES public.stock_locations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: unlinked_listings unlinked_listings_integration_id_5f39b7f9_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.unlinked_listings
    ADD CONSTRAINT unlinked_listings_integration_id_5f39b7f9_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: unlinked_listings unlinked_listings_suggested_variant_id_a4a2ed3e_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.unlinked_listings
    ADD CONSTRAINT unlinked_listings_suggested_variant_id_a4a2ed3e_fk_variants_id FOREIGN KEY (suggested_variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: variant_prices variant_prices_variant_id_f292400b_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variant_prices
    ADD CONSTRAINT variant_prices_variant_id_f292400b_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: variants variants_product_id_870dd1c2_fk_products_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_product_id_870dd1c2_fk_products_id FOREIGN KEY (product_id) REFERENCES public.products(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: voice_link_codes voice_link_codes_customer_id_1009005c_fk_omnichann; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_link_codes
    ADD CONSTRAINT voice_link_codes_customer_id_1009005c_fk_omnichann FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: voice_link_codes voice_link_codes_skill_id_9fded857_fk_voice_skills_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_link_codes
    ADD CONSTRAINT voice_link_codes_skill_id_9fded857_fk_voice_skills_id FOREIGN KEY (skill_id) REFERENCES public.voice_skills(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: voice_links voice_links_customer_id_9455606d_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_links
    ADD CONSTRAINT voice_links_customer_id_9455606d_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: voice_links voice_links_skill_id_dc1cebc8_fk_voice_skills_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_links
    ADD CONSTRAINT voice_links_skill_id_dc1cebc8_fk_voice_skills_id FOREIGN KEY (skill_id) REFERENCES public.voice_skills(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: voice_skills voice_skills_sales_channel_id_2c59c1a5_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.voice_skills
    ADD CONSTRAINT voice_skills_sales_channel_id_2c59c1a5_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: webhook_deliveries webhook_deliveries_integration_id_54f9795b_fk_channel_i; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_integration_id_54f9795b_fk_channel_i FOREIGN KEY (integration_id) REFERENCES public.channel_integrations(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: webhook_endpoints webhook_endpoints_sales_channel_id_ef50f35f_fk_sales_cha; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_sales_channel_id_ef50f35f_fk_sales_cha FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: wished_stock wished_stock_sales_channel_id_6426d00b_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wished_stock
    ADD CONSTRAINT wished_stock_sales_channel_id_6426d00b_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: wished_stock wished_stock_variant_id_d529b1ae_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wished_stock
    ADD CONSTRAINT wished_stock_variant_id_d529b1ae_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: wishlists wishlists_customer_id_50c36342_fk_omnichannel_customers_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wishlists
    ADD CONSTRAINT wishlists_customer_id_50c36342_fk_omnichannel_customers_id FOREIGN KEY (customer_id) REFERENCES public.omnichannel_customers(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: wishlists wishlists_sales_channel_id_2cb3cb1c_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wishlists
    ADD CONSTRAINT wishlists_sales_channel_id_2cb3cb1c_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: wishlists wishlists_variant_id_1cfaf0cc_fk_variants_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.wishlists
    ADD CONSTRAINT wishlists_variant_id_1cfaf0cc_fk_variants_id FOREIGN KEY (variant_id) REFERENCES public.variants(id) DEFERRABLE INITIALLY DEFERRED;

-- Name: write_keys write_keys_sales_channel_id_ce1b644d_fk_sales_channels_id; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.write_keys
    ADD CONSTRAINT write_keys_sales_channel_id_ce1b644d_fk_sales_channels_id FOREIGN KEY (sales_channel_id) REFERENCES public.sales_channels(id) DEFERRABLE INITIALLY DEFERRED;

INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('1', 'contenttypes', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('2', 'auth', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('3', 'catalog', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('4', 'channels', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('5', 'channels', '0002_listings_off_or_failed', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('6', 'channels', '0003_who_tells_the_platform', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('7', 'access', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('8', 'access', '0002_shop_keys', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('9', 'access', '0003_staff', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('10', 'access', '0004_works', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('11', 'admin', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('12', 'admin', '0002_logentry_remove_auto_add', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('13', 'admin', '0003_logentry_add_action_flag_choices', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('14', 'customers', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('15', 'customers', '0002_merge_suggestions', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('16', 'customers', '0003_one_person', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('17', 'customers', '0004_anchors', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('18', 'customers', '0005_privacy', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('19', 'customers', '0006_somebody_was_erased', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('20', 'customers', '0007_what_takes_the_place_of_a_decision', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('21', 'stock', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('22', 'stock', '0002_functions', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('23', 'stock', '0003_open_lines', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('24', 'stock', '0004_one_way_in', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('25', 'stock', '0005_faster_holds', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('26', 'stock', '0006_addresses', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('27', 'advice', '0001_stock_advice_and_notices', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('28', 'advice', '0002_next_actions', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('29', 'advice', '0003_what_the_rules_would_choose', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('30', 'orders', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('31', 'orders', '0002_order_numbers', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('32', 'orders', '0003_imports', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('33', 'orders', '0004_lean_parcel_lines', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('34', 'orders', '0005_orders_not_paid', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('35', 'orders', '0006_parcels_by_number', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('36', 'orders', '0007_carts_that_follow', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('37', 'orders', '0008_orders_of_the_erased', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('38', 'journeys', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('39', 'journeys', '0002_journey_marks', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('40', 'integrations', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('41', 'integrations', '0002_border_post', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('42', 'integrations', '0003_outgoing', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('43', 'integrations', '0004_what_is_told', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('44', 'integrations', '0005_coming_in', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('45', 'integrations', '0006_touched_orders', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('46', 'integrations', '0007_publish_windows', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('47', 'integrations', '0008_notices_verified', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('48', 'integrations', '0009_books_and_desk', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('49', 'integrations', '0010_mail_and_talk', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('50', 'integrations', '0011_books_found', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('51', 'integrations', '0012_open_pages', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('52', 'integrations', '0013_items', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('53', 'integrations', '0014_captures_in_parts', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('54', 'journeys', '0003_interactions_by_month', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('55', 'journeys', '0004_recognised_journeys', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('56', 'journeys', '0005_paths_in_order', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('57', 'analytics', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('58', 'analytics', '0002_lake', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('59', 'analytics', '0003_kept_up_to_date', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('60', 'analytics', '0004_segments', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('61', 'analytics', '0005_merchant_facts', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('62', 'analytics', '0006_noted_at', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('63', 'contenttypes', '0002_remove_content_type_name', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('64', 'auth', '0002_alter_permission_name_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('65', 'auth', '0003_alter_user_email_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('66', 'auth', '0004_alter_user_username_opts', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('67', 'auth', '0005_alter_user_last_login_null', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('68', 'auth', '0006_require_contenttypes_0002', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('69', 'auth', '0007_alter_validators_add_error_messages', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('70', 'auth', '0008_alter_user_username_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('71', 'auth', '0009_alter_user_last_name_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('72', 'auth', '0010_alter_group_name_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('73', 'auth', '0011_update_proxy_permissions', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('74', 'auth', '0012_alter_user_first_name_max_length', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('75', 'orders', '0009_pickups', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('76', 'customers', '0008_segments_of_merged', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('77', 'customers', '0009_sign_in', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('78', 'orders', '0010_phone_calls', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('79', 'orders', '0011_carts_of_shoppers', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('80', 'orders', '0012_requests_by_mail', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('81', 'orders', '0013_notes', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('82', 'integrations', '0015_events_verified', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('83', 'integrations', '0016_journey_events', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('84', 'integrations', '0017_echoes', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('85', 'integrations', '0018_told_of_erasures', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('86', 'integrations', '0019_refusals', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('87', 'console', '0001_live', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('88', 'console', '0002_drafts', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('89', 'console', '0003_works', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('90', 'console', '0004_live_for_less', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('91', 'integrations', '0020_voice_skills', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('92', 'integrations', '0021_agents', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('93', 'integrations', '0022_chat', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('94', 'integrations', '0023_letters', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('95', 'integrations', '0024_asked_to_wait', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('96', 'integrations', '0025_withheld_notices', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('97', 'integrations', '0026_completing_call', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('98', 'journeys', '0006_message_digests_timed', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('99', 'orders', '0014_taken_off', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('100', 'orders', '0015_surplus_refunded', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('101', 'procrastinate', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('102', 'procrastinate', '0002_drop_started_at_column', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('103', 'procrastinate', '0003_drop_started_at_column', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('104', 'procrastinate', '0004_drop_procrastinate_version_table', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('105', 'procrastinate', '0005_fix_procrastinate_fetch_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('106', 'procrastinate', '0006_fix_trigger_status_events_insert', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('107', 'procrastinate', '0007_add_queueing_lock_column', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('108', 'procrastinate', '0008_close_fetch_job_race_condition', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('109', 'procrastinate', '0009_add_defer_job_function', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('110', 'procrastinate', '0010_add_procrastinate_periodic_defers', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('111', 'procrastinate', '0011_add_foreign_key_index', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('112', 'procrastinate', '0012_add_locks_to_periodic_defer', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('113', 'procrastinate', '0013_fix_procrastinate_defer_periodic_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('114', 'procrastinate', '0014_add_finish_job_and_retry_job_functions', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('115', 'procrastinate', '0015_add_trigger_on_job_deletion', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('116', 'procrastinate', '0016_delete_finished_jobs', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('117', 'procrastinate', '0017_add_checks_to_finish_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('118', 'procrastinate', '0018_add_checks_to_retry_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('119', 'procrastinate', '0019_fix_finish_job_compat_issue', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('120', 'procrastinate', '0020_add_index_on_procrastinate_jobs', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('121', 'procrastinate', '0021_add_kwargs_to_defer_periodic_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('122', 'procrastinate', '0022_null_locks_excluded', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('123', 'procrastinate', '0023_remove_old_finish_job_function', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('124', 'procrastinate', '0024_job_id_bigint', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('125', 'procrastinate', '0025_add_models', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('126', 'procrastinate', '0026_add_job_priority', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('127', 'procrastinate', '0027_add_periodic_job_priority', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('128', 'procrastinate', '0028_add_cancel_states', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('129', 'procrastinate', '0029_add_additional_params_to_retry_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('130', 'procrastinate', '0030_alter_procrastinateevent_options', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('131', 'procrastinate', '0031_add_indexes_for_fetch_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('132', 'procrastinate', '0032_pre_cancel_notification', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('133', 'procrastinate', '0033_post_cancel_notification', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('134', 'procrastinate', '0034_pre_add_heartbeat', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('135', 'procrastinate', '0035_post_add_heartbeat', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('136', 'procrastinate', '0036_add_worker_model', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('137', 'procrastinate', '0037_pre_batch_defer_jobs', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('138', 'procrastinate', '0038_post_batch_defer_jobs', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('139', 'procrastinate', '0039_pre_priority_lock_fetch_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('140', 'procrastinate', '0040_pre_retry_failed_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('141', 'procrastinate', '0041_post_retry_failed_job', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('142', 'sessions', '0001_initial', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('143', 'stock', '0007_promises_met', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('144', 'stock', '0008_met_at_sources', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('145', 'stock', '0009_closed_places', now());
INSERT INTO public.django_migrations ("id", "app", "name", "applied") VALUES ('146', 'stock', '0010_place_of_a_hold', now());
SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('public.django_migrations', 'id'), 146);
INSERT INTO public.segments ("id", "key", "name", "rank", "rule", "marks", "created_by", "created_at", "updated_at", "sorted_at") VALUES ('1', 'vip', 'VIP', '1', '{"all": [{"top": "0.05", "field": "lifetime_value"}, {"field": "orders", "at_least": "2"}, {"field": "days_since_order", "at_most": "365"}]}', '{}', '', now(), now(), NULL);
INSERT INTO public.segments ("id", "key", "name", "rank", "rule", "marks", "created_by", "created_at", "updated_at", "sorted_at") VALUES ('2', 'high_value', 'High value', '2', '{"all": [{"top": "0.2", "field": "lifetime_value"}, {"field": "days_since_order", "at_most": "365"}]}', '{}', '', now(), now(), NULL);
INSERT INTO public.segments ("id", "key", "name", "rank", "rule", "marks", "created_by", "created_at", "updated_at", "sorted_at") VALUES ('3', 'new', 'New', '3', '{"all": [{"field": "orders", "at_most": "1"}, {"field": "days_since_first_order", "at_most": "90"}]}', '{}', '', now(), now(), NULL);
INSERT INTO public.segments ("id", "key", "name", "rank", "rule", "marks", "created_by", "created_at", "updated_at", "sorted_at") VALUES ('4', 'regular', 'Regular', '4', '{"field": "orders", "at_least": "1"}', '{}', '', now(), now(), NULL);
INSERT INTO public.segments ("id", "key", "name", "rank", "rule", "marks", "created_by", "created_at", "updated_at", "sorted_at") VALUES ('5', 'prospect', 'Prospect', '5', '{}', '{}', '', now(), now(), NULL);
SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('public.segments', 'id'), 5);
