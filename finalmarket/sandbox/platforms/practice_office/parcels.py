"""The parcel counter of the practice office: what sending costs, labels, where parcels are."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from finalmarket.sandbox.platforms.practice_office.desk import Desk, Fields, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

# id: carrier, service, price, heaviest parcel in grams, days on the way.
SERVICES = {
    "green-letter": ("Green Post", "Letter", Decimal("2.90"), 1_000, 3),
    "green-parcel": ("Green Post", "Parcel", Decimal("4.90"), 31_500, 2),
    "red-overnight": ("Red Express", "Overnight", Decimal("12.50"), 20_000, 1),
}
ABROAD = 3  # times the price
HOUSE = "https://practice-office.invalid"


class Parcels(Desk):
    """Rates, labels, tracking."""

    @route("POST", "/v1/rates", is_write=False)
    def quote(self, request: Request) -> Reply:
        return Reply(200, {"rates": self._rates(request.json())})

    def _rates(self, told: Fields) -> list[Fields]:
        receiver, sender = told["receiver"], told["sender"]
        if not receiver["country"] or not receiver["postcode"]:
            raise refusal(422, "no_address", "the receiver's address lacks its country or postcode")
        times = 1 if receiver["country"] == sender["country"] else ABROAD
        return [
            {"id": number, "carrier": carrier, "service": service, "amount": str(price * times), "days": days * times,
             "currency": told["currency"] or "EUR"}
            for number, (carrier, service, price, heaviest, days) in SERVICES.items()
            if 0 < told["size"]["weight_g"] <= heaviest
        ]  # fmt: skip

    @route("POST", "/v1/labels")
    def buy_label(self, request: Request) -> Reply:
        """Sell a label; a reference that is known names the one that was sold already."""
        told = request.json()
        known = self._found("labels", reference=told["reference"])
        if known is not None:
            return Reply(200, known)
        offer = next((rate for rate in self._rates(told) if rate["id"] == told["service"]), None)
        if offer is None:
            raise refusal(422, "no_service", f"{told['service']} does not take this parcel")
        number, parcel = f"B{self._next()}", f"PO{self._next():010d}"
        label = {
            **offer, "id": number, "number": parcel, "reference": told["reference"], "order": told["order"],
            "state": "paid", "tracking_url": f"{HOUSE}/parcels/{parcel}", "label_url": f"{HOUSE}/labels/{number}.pdf",
        }  # fmt: skip
        self.state["labels"][number] = label
        self._new_parcel(parcel, offer["carrier"], number, days=offer["days"])
        self.effect("label", id=number, reference=told["reference"], amount=offer["amount"])
        return Reply(201, label)

    @route("GET", "/v1/label")
    def find_label(self, request: Request) -> Reply:
        found = self._found("labels", reference=request.query.get("reference"))
        if found is None:
            raise refusal(404, "not_found", "there is no label of that reference")
        return Reply(200, found)

    @route("POST", "/v1/labels/{number}/void")
    def void_label(self, request: Request, number: str) -> Reply:
        label = self._one("labels", number)
        if label["state"] == "paid":
            if self.state["parcels"][label["number"]]["state"] != "printed":
                raise refusal(422, "used", "the parcel is on its way already")
            label["state"] = "given_back"
            self.effect("label_voided", id=number)
        return Reply(200, label)

    @route("GET", "/v1/parcel")
    def read_parcel(self, request: Request) -> Reply:
        label, number = request.query.get("label"), request.query.get("number")
        found = self._found("parcels", number=number) or self._found("parcels", label=label)
        if found is None:
            raise refusal(404, "not_found", "there is no such parcel")
        return Reply(200, found)

    def _new_parcel(self, number: str, carrier: str, label: str, *, days: int) -> Fields:
        parcel = {
            "id": number, "number": number, "carrier": carrier, "label": label, "state": "printed", "steps": [],
            "shipped_at": "", "delivered_at": "", "tracking_url": f"{HOUSE}/parcels/{number}",
            "expected_at": (self.now() + timedelta(days=days)).isoformat(),
        }  # fmt: skip
        self.state["parcels"][number] = parcel
        self._changed("", parcel)
        return parcel

    # The outside world.

    def labels(self) -> list[Fields]:
        """The labels that were sold, given back ones included."""
        return list(self.state["labels"].values())

    @outside
    def add_parcel(self, number: str, carrier: str = "Green Post") -> None:
        """A parcel whose label was bought elsewhere."""
        self._new_parcel(number, carrier, "", days=2)

    @outside
    def move_parcel(self, parcel: str, state: str = "moving", *, words: str = "", place: str = "") -> None:
        """A parcel (by its number or its label's id) goes on: moving, in_the_van, delivered, at_the_shop, sent_back or
        lost."""
        found = self._found("parcels", number=parcel) or self._found("parcels", label=parcel)
        if found is None:
            raise KeyError(parcel)
        at = self.now().isoformat()
        found["state"] = state
        found["shipped_at"] = found["shipped_at"] or at
        found["delivered_at"] = at if state == "delivered" else found["delivered_at"]
        found["steps"].append({"at": at, "words": words or state.replace("_", " "), "place": place})
        self._changed("parcel.moved", found, brings=True)
