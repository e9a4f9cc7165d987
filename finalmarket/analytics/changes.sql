-- What daily figures depend on is noted by triggers, in the transaction in which it happened: no verb of the order book
-- has to remember to tell, and nothing is told that was rolled back. Rows are only added, never updated: an order waits
-- for nobody. What stands for whom: analytics/incremental.sql.

CREATE OR REPLACE FUNCTION analytics_note_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day, customer_id, order_id, at)
    SELECT CASE WHEN placed.customer_id IS NULL THEN 'day' ELSE 'order' END, placed.sales_channel_id,
           (placed.placed_at AT TIME ZONE channel.time_zone)::date, placed.customer_id, placed.id, placed.placed_at
    FROM touched placed JOIN sales_channels channel ON channel.id = placed.sales_channel_id;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS orders_analytics_added ON orders;
CREATE TRIGGER orders_analytics_added AFTER INSERT ON orders
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_orders();
DROP TRIGGER IF EXISTS orders_analytics_removed ON orders;
CREATE TRIGGER orders_analytics_removed AFTER DELETE ON orders
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_orders();

-- Who bought first depends on whose an order is, when it was placed, and whether it stands; other changes are its day's.
CREATE OR REPLACE FUNCTION analytics_note_order() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TRIGGER IF EXISTS orders_analytics_changed ON orders;
CREATE TRIGGER orders_analytics_changed
    AFTER UPDATE OF sales_channel_id, customer_id, placed_at, state, currency, goods, discount, shipping, fees, tax,
                    tax_included, total, refunded ON orders FOR EACH ROW
    WHEN ((OLD.sales_channel_id, OLD.customer_id, OLD.placed_at, OLD.state = 'cancelled', OLD.currency, OLD.goods,
           OLD.discount, OLD.shipping, OLD.fees, OLD.tax, OLD.tax_included, OLD.total, OLD.refunded)
          IS DISTINCT FROM
          (NEW.sales_channel_id, NEW.customer_id, NEW.placed_at, NEW.state = 'cancelled', NEW.currency, NEW.goods,
           NEW.discount, NEW.shipping, NEW.fees, NEW.tax, NEW.tax_included, NEW.total, NEW.refunded))
    EXECUTE FUNCTION analytics_note_order();

-- Lines: what was sold and what came back, and the tax of goods. A return counts on the line, on the day of its sale.
CREATE OR REPLACE FUNCTION analytics_note_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', placed.sales_channel_id, (placed.placed_at AT TIME ZONE channel.time_zone)::date
    FROM (SELECT DISTINCT order_id FROM touched) line JOIN orders placed ON placed.id = line.order_id
    JOIN sales_channels channel ON channel.id = placed.sales_channel_id;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS order_lines_analytics_added ON order_lines;
CREATE TRIGGER order_lines_analytics_added AFTER INSERT ON order_lines
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_lines();
DROP TRIGGER IF EXISTS order_lines_analytics_removed ON order_lines;
CREATE TRIGGER order_lines_analytics_removed AFTER DELETE ON order_lines
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_lines();

CREATE OR REPLACE FUNCTION analytics_note_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', placed.sales_channel_id, (placed.placed_at AT TIME ZONE channel.time_zone)::date
    FROM orders placed JOIN sales_channels channel ON channel.id = placed.sales_channel_id
    WHERE placed.id IN (OLD.order_id, NEW.order_id);
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS order_lines_analytics_changed ON order_lines;
CREATE TRIGGER order_lines_analytics_changed
    AFTER UPDATE OF order_id, kind, quantity, cancelled_quantity, returned_quantity, tax ON order_lines FOR EACH ROW
    WHEN ((OLD.order_id, OLD.kind, OLD.quantity, OLD.cancelled_quantity, OLD.returned_quantity, OLD.tax)
          IS DISTINCT FROM
          (NEW.order_id, NEW.kind, NEW.quantity, NEW.cancelled_quantity, NEW.returned_quantity, NEW.tax))
    EXECUTE FUNCTION analytics_note_line();

-- Sessions are journeys, by the day and the channel where they began.
CREATE OR REPLACE FUNCTION analytics_note_journeys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', journey.start_channel_id, (journey.started_at AT TIME ZONE channel.time_zone)::date
    FROM touched journey JOIN sales_channels channel ON channel.id = journey.start_channel_id;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS journeys_analytics_added ON cross_channel_journeys;
CREATE TRIGGER journeys_analytics_added AFTER INSERT ON cross_channel_journeys
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_journeys();
DROP TRIGGER IF EXISTS journeys_analytics_removed ON cross_channel_journeys;
CREATE TRIGGER journeys_analytics_removed AFTER DELETE ON cross_channel_journeys
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_journeys();

CREATE OR REPLACE FUNCTION analytics_note_journey() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id, day)
    SELECT DISTINCT 'day', version.channel_id, (version.started_at AT TIME ZONE channel.time_zone)::date
    FROM (VALUES (OLD.start_channel_id, OLD.started_at), (NEW.start_channel_id, NEW.started_at))
         version(channel_id, started_at)
    JOIN sales_channels channel ON channel.id = version.channel_id;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS journeys_analytics_changed ON cross_channel_journeys;
CREATE TRIGGER journeys_analytics_changed
    AFTER UPDATE OF start_channel_id, started_at, order_id, intent ON cross_channel_journeys FOR EACH ROW
    WHEN ((OLD.start_channel_id, OLD.started_at, OLD.order_id IS NULL, OLD.intent IN ('support', 'return', 'review'))
          IS DISTINCT FROM
          (NEW.start_channel_id, NEW.started_at, NEW.order_id IS NULL, NEW.intent IN ('support', 'return', 'review')))
    EXECUTE FUNCTION analytics_note_journey();

-- Persons are joined or parted: the days on which any of them bought are told anew.
CREATE OR REPLACE FUNCTION analytics_note_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, customer_id)
    SELECT DISTINCT 'person', touched.id
    FROM unnest(ARRAY[NEW.id, OLD.merged_into_id, NEW.merged_into_id]) AS touched(id) WHERE touched.id IS NOT NULL;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS customers_analytics_merged ON omnichannel_customers;
CREATE TRIGGER customers_analytics_merged AFTER UPDATE OF merged_into_id ON omnichannel_customers FOR EACH ROW
    WHEN (OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id) EXECUTE FUNCTION analytics_note_merge();

-- A channel whose days begin at another hour, or that counts in other money.
CREATE OR REPLACE FUNCTION analytics_note_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, sales_channel_id) VALUES ('everything', NEW.id);
    IF OLD.currency <> NEW.currency THEN  -- it may stand for the merchant's
        INSERT INTO analytics_changes (kind, day) VALUES ('rates', date '0001-01-01');
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS channels_analytics_changed ON sales_channels;
CREATE TRIGGER channels_analytics_changed AFTER UPDATE OF currency, time_zone ON sales_channels FOR EACH ROW
    WHEN ((OLD.currency, OLD.time_zone) IS DISTINCT FROM (NEW.currency, NEW.time_zone))
    EXECUTE FUNCTION analytics_note_channel();

-- Rates hold from their day on. The merchant's own currency concerns all days.
CREATE OR REPLACE FUNCTION analytics_note_rates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day) SELECT 'rates', min(date) FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION analytics_note_changed_rates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day)
    SELECT 'rates', min(date) FROM (SELECT date FROM before UNION ALL SELECT date FROM after) touched
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION analytics_note_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_changes (kind, day) VALUES ('rates', date '0001-01-01');
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS exchange_rates_added ON exchange_rates;
CREATE TRIGGER exchange_rates_added AFTER INSERT ON exchange_rates
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_rates();
DROP TRIGGER IF EXISTS exchange_rates_removed ON exchange_rates;
CREATE TRIGGER exchange_rates_removed AFTER DELETE ON exchange_rates
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_rates();
DROP TRIGGER IF EXISTS exchange_rates_changed ON exchange_rates;
CREATE TRIGGER exchange_rates_changed AFTER UPDATE ON exchange_rates
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_changed_rates();
DROP TRIGGER IF EXISTS merchant_currency_said ON merchant;
CREATE TRIGGER merchant_currency_said AFTER INSERT OR UPDATE OR DELETE ON merchant
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_currency();
DROP TRIGGER IF EXISTS channels_analytics_removed ON sales_channels;
CREATE TRIGGER channels_analytics_removed AFTER DELETE ON sales_channels
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_currency();
