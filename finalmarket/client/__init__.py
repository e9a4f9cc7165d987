"""A client for the REST API, in Python: every call by its name, typed, repeated where that is safe.

    from finalmarket.client import Client

    with Client("https://shop.example", key="fm_...") as house:
        journey = house.journeys.start_journey(channel=1, intent="purchase", contact={"email": "ann@example.com"})

It needs nothing of the house itself but this package. docs/client.md has more.
"""

from finalmarket.client.calling import UNSAID, Answer, NotChanged
from finalmarket.client.errors import ApiProblem, ConnectionLost
from finalmarket.client.house import Client
from finalmarket.client.paging import each

__all__ = ["UNSAID", "Answer", "ApiProblem", "Client", "ConnectionLost", "NotChanged", "each"]
