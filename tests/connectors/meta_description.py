"""Meta's own node specifications, in the form of an OpenAPI document: the edges that we use, with their parameters,
types and words, and the fields of the nodes that they answer with.

The specifications say nothing about what stands within maps and objects. Calls that they leave out (tokens,
subscriptions of apps and pages) are written after Meta's guides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.judge import vendor_apis
from tests.connectors.descriptions.resources import Resources

Schema = dict[str, Any]
V = "/v25.0"
TEXT: Schema = {"type": "string"}
PLAIN: Mapping[str, Schema] = {
    "string": TEXT, "int": {"type": "integer"}, "unsigned int": {"type": "integer", "minimum": 0},
    "bool": {"type": "boolean"}, "float": {"type": "number"}, "datetime": TEXT,
}  # fmt: skip
# Every edge takes these (https://developers.facebook.com/docs/graph-api).
EVERYWHERE = ("fields", "limit", "after", "before", "locale", "appsecret_proof", "access_token")
ERRORS: Schema = {
    "type": "object", "required": ["error"],
    "properties": {"error": {"type": "object", "required": ["message", "type", "code", "fbtrace_id"]}},
}  # fmt: skip
DONE: Schema = {"type": "object", "required": ["success"], "properties": {"success": {"type": "boolean"}}}


class Nodes:
    """The specifications in one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = vendor_apis() / folder / "api_specs"
        listed = json.loads((self._folder / "enum_types.json").read_text())
        self._words = {one["name"]: one["values"] for one in listed}

    def call(self, method: str, node: str, edge: str, body: Mapping[str, Schema] | None = None,
             answer: Schema | None = None, more: Mapping[str, Schema] | None = None) -> Schema:  # fmt: skip
        """An operation; `body` are schemas of parameters that the specification leaves open, `answer` the form of an
        answer that it does not tell, `more` edges and inner objects that a node may show."""
        told = json.loads((self._folder / f"{node}.json").read_text())
        (api,) = [one for one in told["apis"] if one["method"] == method and one.get("endpoint", "") == edge]
        is_list = method == "GET" and bool(edge)
        shown = answer or self._node(api["return"], more or {})
        shown = {**_page(shown)} if is_list else shown
        operation: Schema = {
            "parameters": [{"name": name, "in": "query", "schema": TEXT} for name in EVERYWHERE],
            "responses": {"200": {"description": "done", "content": {"application/json": {"schema": shown}}}},
        }
        if method == "GET":
            operation["parameters"] += [
                {"name": one["name"], "in": "query", "required": one["required"], "schema": self._in_query(one["type"])}
                for one in api["params"]
            ]
            return operation
        known = {one["name"]: self._type(one["type"]) for one in api["params"]} | dict(body or {})
        needed = [one["name"] for one in api["params"] if one["required"]]
        schema = {"type": "object", "properties": known, "required": needed, "additionalProperties": False}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        return operation

    def _node(self, name: str, more: Mapping[str, Schema]) -> Schema:
        path = self._folder / f"{name}.json"
        if not path.is_file():
            return {"type": "object"}
        known = {one["name"]: self._type(one["type"]) for one in json.loads(path.read_text())["fields"]}
        return {"type": "object", "properties": {**known, **more}, "additionalProperties": False}

    def _type(self, name: str) -> Schema:
        if name in self._words:
            return {"type": "string", "enum": self._words[name]}
        inner = re.fullmatch(r"list<(.+)>", name)
        return {"type": "array", "items": self._type(inner[1])} if inner else PLAIN.get(name, {})

    def _in_query(self, name: str) -> Schema:
        """Lists and objects travel as text, parted by commas or as JSON."""
        inner = re.fullmatch(r"list<(.+)>", name)
        if inner and inner[1] in self._words:
            words = "|".join(map(re.escape, self._words[inner[1]]))
            return {"type": "string", "pattern": f"^({words})(,({words}))*$"}
        if name == "datetime":
            return {"type": "integer"}
        schema = self._type(name)
        return schema if schema.get("type") not in (None, "array") else TEXT


def _page(row: Schema) -> Schema:
    return {
        "type": "object", "required": ["data"],
        "properties": {"data": {"type": "array", "items": row}, "paging": {"type": "object"}},
    }  # fmt: skip


def plain(*needed: str, form: tuple[str, ...] = (), answer: Schema | None = None) -> Schema:
    """A call that the specifications leave out: query parameters, or fields of a form."""
    names = [*EVERYWHERE, *needed]
    told: Schema = {
        "parameters": [{"name": name, "in": "query", "required": name in needed, "schema": TEXT} for name in names],
        "responses": {"200": {"description": "done", "content": {"application/json": {"schema": answer or DONE}}}},
    }
    if form:
        schema = {"type": "object", "properties": dict.fromkeys(form, TEXT), "required": list(form)}
        told["requestBody"] = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    return told


def document(paths: Schema, components: Schema | None = None) -> Resources:
    """The judge of these paths."""
    for path, item in paths.items():
        names = re.findall(r"\{(\w+)\}", path)
        for operation in item.values():
            operation["parameters"] = [
                *operation["parameters"],
                *({"name": name, "in": "path", "required": True, "schema": TEXT} for name in names),
            ]
    whole = {"openapi": "3.1.0", "info": {"title": "Meta", "version": "25"}, "paths": paths, **(components or {})}
    return Resources([Document(whole)], ERRORS)


@cache
def facebook(catalog: str, commerce: str, pixel: str, page: str, app: str) -> Resources:
    """The catalogue, orders, events; the ids stand in the paths, for a path of the Graph API names no kind of node."""
    nodes = Nodes("facebook")
    events = json.loads((vendor_apis() / "facebook" / "capi-event.derived.schema.json").read_text())["$defs"]
    events = json.loads(json.dumps(events).replace("#/$defs/", "#/components/schemas/"))
    # Meta's guides require what the tables of its library leave open.
    events["Event"]["required"] = ["event_name", "event_time", "action_source", "user_data"]
    request = {"type": "object", "required": ["method", "data"], "properties": {
        "method": {"enum": ["CREATE", "UPDATE", "DELETE"]}, "data": {"type": "object", "required": ["id"]},
    }}  # fmt: skip
    edges: dict[str, Schema] = {edge: {"type": "object"} for edge in ("items", "cancellations", "refunds", "shipments")}
    batch = {"type": "object", "properties": {"handles": {"type": "array", "items": TEXT}}}
    return document(
        {
            f"{V}/{catalog}": {"get": nodes.call("GET", "ProductCatalog", "")},
            f"{V}/{catalog}/products": {"get": nodes.call("GET", "ProductCatalog", "products")},
            f"{V}/{catalog}/items_batch": {"post": nodes.call(
                "POST", "ProductCatalog", "items_batch", {"requests": {"type": "array", "items": request}}, batch,
            )},
            f"{V}/{catalog}/check_batch_request_status": {
                "get": nodes.call("GET", "ProductCatalog", "check_batch_request_status")
            },
            f"{V}/{commerce}/commerce_orders": {
                "get": nodes.call("GET", "CommerceMerchantSettings", "commerce_orders", more=edges)
            },
            f"{V}/{{order}}": {"get": nodes.call("GET", "CommerceOrder", "", more=edges)},
            f"{V}/{{order}}/shipments": {"post": nodes.call("POST", "CommerceOrder", "shipments", answer=DONE)},
            f"{V}/{pixel}/events": {"post": nodes.call(
                "POST", "AdsPixel", "events",
                {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}},
            )},
            f"{V}/{page}": {"get": plain(answer={"type": "object"})},
            f"{V}/{app}/subscriptions": {"post": plain(form=("object", "callback_url", "fields", "verify_token"))},
            f"{V}/{page}/subscribed_apps": {"post": plain(form=("subscribed_fields",))},
        },
        {"components": {"schemas": events}},
    )  # fmt: skip


@cache
def instagram() -> Resources:
    """Messages, posts and comments of an account with Instagram login."""
    nodes = Nodes("instagram")
    thread: dict[str, Schema] = {"messages": {"type": "object"}}
    comment = nodes.call("GET", "IGMedia", "comments")
    post = nodes.call("GET", "IGUser", "media")
    return document(
        {
            f"{V}/me": {"get": nodes.call("GET", "IGUserForIGOnlyAPI", "", answer={"type": "object"})},
            f"{V}/me/conversations": {"get": nodes.call("GET", "IGUserForIGOnlyAPI", "conversations", more=thread)},
            f"{V}/me/media": {"get": post},
            f"{V}/me/subscribed_apps": {"post": nodes.call("POST", "IGUserForIGOnlyAPI", "subscribed_apps",
                                                           answer=DONE)},
            f"{V}/{{node}}": {"get": nodes.call("GET", "UnifiedThread", "", more=thread)},
            f"{V}/{{node}}/comments": {"get": comment},
            "/access_token": {"get": nodes.call("GET", "IGAccessTokenForIGOnlyAPI", "")},
            "/refresh_access_token": {"get": nodes.call("GET", "IGRefreshAccessTokenForIGOnlyAPI", "")},
        }
    )  # fmt: skip
