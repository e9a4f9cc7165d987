"""The platforms' own published descriptions as judges: of every request that a connector sends, and of every answer
that a sandbox gives. The files travel beside the project and are found by FINALMARKET_VENDOR_APIS."""

from tests.connectors.descriptions.judge import Description, vendor_apis
from tests.connectors.descriptions.queries import graphql
from tests.connectors.descriptions.resources import openapi
from tests.connectors.descriptions.watched import WatchedTransport

__all__ = ["Description", "WatchedTransport", "graphql", "openapi", "vendor_apis"]
