"""Orders that come by mail: a message is read by plain rules into a request that a person confirms."""
