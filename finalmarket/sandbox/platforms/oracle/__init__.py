"""Oracle Fusion as a stand-in: two inventory organisations, people, orders that go to shipping at once, staged
transactions. It follows prose and public practice, for Oracle publishes no description."""

from finalmarket.sandbox.platforms.oracle.company import Oracle

__all__ = ["Oracle"]
