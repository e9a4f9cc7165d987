"""The shopper's API: what pages, apps and kiosks of a shop may do for whoever stands before them."""
