"""The order book: carts, orders, payments, fulfilments, returns; intake, routing and their verbs."""
