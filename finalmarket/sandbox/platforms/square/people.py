"""Square's customer directory."""

from __future__ import annotations

from finalmarket.sandbox.abilities import Person
from finalmarket.sandbox.platforms.square.books import Counter, Raw, read_moment, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

A_PAGE = 100
KNOWN_BY = ("given_name", "family_name", "company_name", "email_address", "phone_number")
FIELDS = (*KNOWN_BY, "nickname", "address", "reference_id", "note", "birthday")


class People(Counter):
    """Customers."""

    @route("POST", "/v2/customers/search", is_write=False)
    def search_customers(self, request: Request) -> Reply:
        body = self.body(request)
        limit = body.get("limit") or A_PAGE
        if not 0 < limit <= A_PAGE:
            raise refusal(400, "VALUE_TOO_HIGH", f"at most {A_PAGE} customers a page", "limit")
        query = body.get("query") or {}
        window = (query.get("filter") or {}).get("updated_at") or {}
        start = read_moment(window["start_at"], "start_at") if window.get("start_at") else ""
        end = read_moment(window["end_at"], "end_at") if window.get("end_at") else "~"
        by_making = (query.get("sort") or {}).get("field") == "CREATED_AT"
        found = [
            ([one["created_at"] if by_making else _sorted_name(one), one["id"]], one)
            for one in self.state.customers.values()
            if start <= one["updated_at"] <= end
        ]
        page, cursor = self.page_of(request, query, found, body.get("cursor") or "", limit)
        return Reply(200, {**({"customers": page} if page else {}), **cursor})

    @route("POST", "/v2/customers")
    def create_customer(self, request: Request) -> Reply:
        return self.once(request, lambda body: Reply(200, {"customer": self.new_customer(body)}))

    def new_customer(self, told: Raw) -> Raw:
        """Make a customer. Raises Refused for one who has neither name nor address."""
        if not any(told.get(name) for name in KNOWN_BY):
            raise refusal(400, "BAD_REQUEST", f"at least one of {', '.join(KNOWN_BY)} is needed")
        _check(told)
        now = self.stamped()
        person = {name: told[name] for name in FIELDS if told.get(name)}
        person |= {
            "id": self.new_id(), "created_at": now, "updated_at": now, "version": 0, "creation_source": "THIRD_PARTY",
            "preferences": {"email_unsubscribed": False},
        }  # fmt: skip
        self.state.customers[person["id"]] = person
        self.effect("customer", id=person["id"])
        self.announce("customer.created", "customer", person["id"], {"customer": person})
        return person

    @route("GET", "/v2/customers/{customer_id}")
    def read_customer(self, request: Request, customer_id: str) -> Reply:
        return Reply(200, {"customer": self._customer(customer_id)})

    @route("PUT", "/v2/customers/{customer_id}")
    def change_customer(self, request: Request, customer_id: str) -> Reply:
        """Change what is told; null takes a field away."""
        told, person = self.body(request), self._customer(customer_id)
        if told.get("version") not in (None, person["version"]):
            raise refusal(409, "VERSION_MISMATCH", f"the version is {person['version']}", "version")
        _check(told)
        changed = {name: told[name] for name in FIELDS if name in told and told[name] != person.get(name)}
        if changed:
            person |= changed
            for name in [name for name, value in person.items() if value is None]:
                del person[name]
            self.touch_customer(person)
        return Reply(200, {"customer": person})

    def touch_customer(self, person: Raw) -> None:
        """A customer changed."""
        person |= {"version": person["version"] + 1, "updated_at": self.stamped()}
        self.effect("customer", id=person["id"])
        self.announce("customer.updated", "customer", person["id"], {"customer": person})

    @route("DELETE", "/v2/customers/{customer_id}")
    def delete_customer(self, request: Request, customer_id: str) -> Reply:
        person = self._customer(customer_id)
        del self.state.customers[customer_id]
        self.effect("customer", id=customer_id, is_deleted=True)
        self.announce("customer.deleted", "customer", customer_id, {"customer": person})
        return Reply(200, {})

    def _customer(self, customer_id: str) -> Raw:
        if customer_id not in self.state.customers:
            raise refusal(404, "NOT_FOUND", f"Customer with ID `{customer_id}` not found.")
        return self.state.customers[customer_id]

    # The outside world.

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        return str(self.new_customer({"given_name": first, "family_name": last, "email_address": email})["id"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        person, (first, _, last) = self.state.customers[customer], name.rpartition(" ")
        person |= {"given_name": first, "family_name": last}
        self.touch_customer(person)

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {
            number: Person(
                f"{one.get('given_name', '')} {one.get('family_name', '')}".strip(), one.get("email_address", "")
            )
            for number, one in self.state.customers.items()
        }


def _sorted_name(person: Raw) -> str:
    return f"{person.get('given_name', '')} {person.get('family_name', '')}".lower()


def _check(told: Raw) -> None:
    email, phone = told.get("email_address") or "", told.get("phone_number") or ""
    if email and ("@" not in email or " " in email):
        raise refusal(400, "INVALID_EMAIL_ADDRESS", "this is no e-mail address", "email_address")
    digits = sum(letter.isdigit() for letter in phone)
    if phone and not 9 <= digits <= 16:
        raise refusal(400, "INVALID_PHONE_NUMBER", "this is no phone number", "phone_number")
