"""What the records of an account come to, in the words of every platform (sandbox/abilities.py)."""

from __future__ import annotations

from collections.abc import Iterator

from finalmarket.sandbox.abilities import KeptOrder, TicketThere
from finalmarket.sandbox.platforms.hubspot.gate import Fields, Gate

CANCELLED = ("3c85a297-e9ce-400b-b42e-9f16853d69d6", "closedlost")


class Outside(Gate):
    """Orders and tickets that were told from elsewhere."""

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders. A line that was put away is none."""
        return [
            KeptOrder(
                told.get("finalmarket_number", ""),
                sum(
                    int(line["quantity"]) for line in self._linked(kind, name, "line_items")
                    if line.get("finalmarket_kind") == "goods"
                ),
                (told.get("hs_pipeline_stage") or told.get("dealstage")) in CANCELLED,
            )
            for kind in ("orders", "deals")
            for name, told in self._standing(kind)
        ]  # fmt: skip

    def tickets_there(self) -> list[TicketThere]:
        """See TakesTickets."""
        return [
            TicketThere(
                told["subject"],
                (told.get("finalmarket_context", ""),
                 *(note["hs_note_body"] for note in self._linked("tickets", name, "notes"))),
            )
            for name, told in self._standing("tickets")
        ]  # fmt: skip

    def _standing(self, kind: str) -> Iterator[tuple[str, Fields]]:
        """The names and properties of the records that were not put away."""
        for name, one in self.state["objects"][kind].items():
            if not one["archived"]:
                yield name, one["properties"]

    def _linked(self, kind: str, name: str, other: str) -> list[Fields]:
        """The properties of what a record is linked with, whichever of the two the link was made from."""
        ends = {(kind, name, other, far) for one, near, two, far in self.state["links"]
                if (one, near, two) == (kind, name, other)}  # fmt: skip
        ends |= {(kind, name, other, near) for one, near, two, far in self.state["links"]
                 if (one, two, far) == (other, kind, name)}  # fmt: skip
        there = dict(self._standing(other))
        return [there[far] for *_, far in sorted(ends) if far in there]
