-- What journeys depend on besides interactions is noted by triggers, in the transaction in which it happened: no verb of
-- the order book has to remember to tell, and nothing is told that was rolled back. Rows are only added, never updated:
-- an order waits for nobody.

CREATE OR REPLACE FUNCTION journeys_note_new_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT customer_id, min(placed_at) FROM added WHERE customer_id IS NOT NULL GROUP BY customer_id;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS orders_journeys_added ON orders;
CREATE TRIGGER orders_journeys_added AFTER INSERT ON orders
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION journeys_note_new_orders();

CREATE OR REPLACE FUNCTION journeys_note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT DISTINCT customer_id, least(OLD.placed_at, NEW.placed_at)
    FROM unnest(ARRAY[OLD.customer_id, NEW.customer_id]) AS touched(customer_id) WHERE customer_id IS NOT NULL;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS orders_journeys_changed ON orders;
CREATE TRIGGER orders_journeys_changed
    AFTER UPDATE OF state, customer_id, placed_at, goods, discount, currency ON orders FOR EACH ROW
    WHEN ((OLD.state = 'cancelled', OLD.customer_id, OLD.placed_at, OLD.goods, OLD.discount, OLD.currency)
          IS DISTINCT FROM
          (NEW.state = 'cancelled', NEW.customer_id, NEW.placed_at, NEW.goods, NEW.discount, NEW.currency))
    EXECUTE FUNCTION journeys_note_order();

-- A return, and the order that it was exchanged for: such an order completes no journey.
CREATE OR REPLACE FUNCTION journeys_note_new_returns() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TRIGGER IF EXISTS returns_journeys_added ON returns;
CREATE TRIGGER returns_journeys_added AFTER INSERT ON returns
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION journeys_note_new_returns();

CREATE OR REPLACE FUNCTION journeys_note_return() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TRIGGER IF EXISTS returns_journeys_changed ON returns;
CREATE TRIGGER returns_journeys_changed
    AFTER UPDATE OF state, customer_id, order_id, exchange_order_id, at ON returns FOR EACH ROW
    WHEN ((OLD.state = 'cancelled', OLD.customer_id, OLD.order_id, OLD.exchange_order_id, OLD.at)
          IS DISTINCT FROM
          (NEW.state = 'cancelled', NEW.customer_id, NEW.order_id, NEW.exchange_order_id, NEW.at))
    EXECUTE FUNCTION journeys_note_return();

-- Persons are joined or parted: their timelines are told from the beginning.
CREATE OR REPLACE FUNCTION journeys_note_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journey_changes (customer_id, since)
    SELECT DISTINCT touched.id, timestamptz '1970-01-01 00:00:00+00'
    FROM unnest(ARRAY[NEW.id, OLD.merged_into_id, NEW.merged_into_id]) AS touched(id) WHERE touched.id IS NOT NULL;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS customers_journeys_merged ON omnichannel_customers;
CREATE TRIGGER customers_journeys_merged AFTER UPDATE OF merged_into_id ON omnichannel_customers FOR EACH ROW
    WHEN (OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id) EXECUTE FUNCTION journeys_note_merge();
