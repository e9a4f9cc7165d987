"""Whatever comes late of an order whose buyer was erased, and however it is written: the person does not come back."""

from django.db import migrations

GUARD = """
CREATE FUNCTION orders_of_the_erased() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER orders_of_the_erased
BEFORE INSERT OR UPDATE OF email, phone, shipping_address, billing_address, raw, customer_id ON orders FOR EACH ROW
WHEN (NEW.customer_id IS NOT NULL AND (NEW.email <> '' OR NEW.phone <> '' OR NEW.raw <> '{}'
      OR NEW.shipping_address <> '{}' OR NEW.billing_address <> '{}'))
EXECUTE FUNCTION orders_of_the_erased();
"""
AWAY = "DROP TRIGGER orders_of_the_erased ON orders; DROP FUNCTION orders_of_the_erased();"


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0007_carts_that_follow"),
        ("customers", "0005_privacy"),
    ]

    operations = [migrations.RunSQL(GUARD, AWAY)]
