-- What happened is noted by triggers, in the transaction in which it happened: no room has to remember to tell, and
-- nothing is told that was rolled back. Nothing is noted while nobody listens.

CREATE OR REPLACE FUNCTION outgoing_is_wanted() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM webhook_endpoints WHERE is_active)
$$;

-- Entries of an order's history. Orders of the past that are imported bear the past's time and are no news.
CREATE OR REPLACE FUNCTION outgoing_note_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF outgoing_is_wanted() THEN
        INSERT INTO outgoing_events (topic, subject_id)
        SELECT DISTINCT 'order.' || CASE kind WHEN 'taken' THEN 'created' ELSE kind END, order_id FROM added
        WHERE kind NOT IN ('promised', 'routed', 'rejected') AND at > now() - interval '1 day' ORDER BY 2, 1;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS order_events_outgoing ON order_events;
CREATE TRIGGER order_events_outgoing AFTER INSERT ON order_events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION outgoing_note_orders();

-- One row changed in one of these tables: the trigger names the topic.
CREATE OR REPLACE FUNCTION outgoing_note_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF outgoing_is_wanted() THEN
        INSERT INTO outgoing_events (topic, subject_id)
        VALUES (TG_ARGV[0], (to_jsonb(NEW) ->> TG_ARGV[1])::bigint);
    END IF;
    RETURN NULL;
END $$;

-- Stock: a pool whose counters moved is marked (alerts_due) until the next look at alerts clears the mark; many
-- movements in between are one event. The condition keeps the counters' own updates free of any work.
DROP TRIGGER IF EXISTS stock_pool_outgoing ON stock_pool;
CREATE TRIGGER stock_pool_outgoing AFTER UPDATE OF alerts_due ON stock_pool FOR EACH ROW
    WHEN (OLD.alerts_due AND NOT NEW.alerts_due) EXECUTE FUNCTION outgoing_note_row('stock.changed', 'variant_id');

DROP TRIGGER IF EXISTS stock_alerts_outgoing_opened ON stock_alerts;
CREATE TRIGGER stock_alerts_outgoing_opened AFTER INSERT ON stock_alerts FOR EACH ROW
    EXECUTE FUNCTION outgoing_note_row('stock.alert_opened', 'id');

DROP TRIGGER IF EXISTS stock_alerts_outgoing_closed ON stock_alerts;
CREATE TRIGGER stock_alerts_outgoing_closed AFTER UPDATE OF closed_at ON stock_alerts FOR EACH ROW
    WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)
    EXECUTE FUNCTION outgoing_note_row('stock.alert_closed', 'id');

DROP TRIGGER IF EXISTS customers_outgoing_created ON omnichannel_customers;
CREATE TRIGGER customers_outgoing_created AFTER INSERT ON omnichannel_customers FOR EACH ROW
    EXECUTE FUNCTION outgoing_note_row('customer.created', 'id');

DROP TRIGGER IF EXISTS customers_outgoing_updated ON omnichannel_customers;
CREATE TRIGGER customers_outgoing_updated
    AFTER UPDATE OF name, email, phone, country, language, segment, merged_into_id ON omnichannel_customers FOR EACH ROW
    WHEN ((OLD.name, OLD.email, OLD.phone, OLD.country, OLD.language, OLD.segment, OLD.merged_into_id)
          IS DISTINCT FROM (NEW.name, NEW.email, NEW.phone, NEW.country, NEW.language, NEW.segment, NEW.merged_into_id))
    EXECUTE FUNCTION outgoing_note_row('customer.updated', 'id');
