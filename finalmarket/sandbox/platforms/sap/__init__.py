"""S/4HANA as a stand-in: one company with a plant of two storage locations, and the OData services that a hub needs."""

from finalmarket.sandbox.platforms.sap.company import Sap

__all__ = ["Sap"]
