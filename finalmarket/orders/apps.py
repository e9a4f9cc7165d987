from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "finalmarket.orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Have what the order book knows of persons in their unified profiles, and where they compare persons."""
        from finalmarket.customers.linkage.reading import add_source
        from finalmarket.customers.unified import add_part
        from finalmarket.orders.addresses import latest_addresses
        from finalmarket.orders.profile import bought_by, means_to_buy

        add_part(bought_by)
        add_part(means_to_buy)
        add_source(latest_addresses)
