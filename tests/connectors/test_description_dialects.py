"""The judges on descriptions small enough to be read here: the dialects of OpenAPI, brackets, and the transport that
looks on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Reply, Request, StandIn, route
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.connectors.descriptions import Description, WatchedTransport, openapi
from tests.connectors.descriptions.encodings import nested
from tests.connectors.descriptions.json_calls import answered, sent

Written = Callable[[Mapping[str, Any]], Description]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Makes a description out of its words."""

    def write(contents: Mapping[str, Any], **words: Any) -> Description:
        (tmp_path / "tiny").mkdir(exist_ok=True)
        (tmp_path / "tiny" / "api.json").write_text(json.dumps(contents))
        monkeypatch.setenv("FINALMARKET_VENDOR_APIS", str(tmp_path))
        return openapi("tiny", "api.json", **words)

    return write


def putting(schema: Mapping[str, Any], *, version: str = "3.0.0", **schemas: Any) -> dict[str, Any]:
    """A description with one operation, PUT /things/{id}, whose body is of this schema."""
    content = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"required": True, "content": content}, "responses": {"2XX": {"content": content}}}
    named = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    return {
        "openapi": version,
        "servers": [{"url": "https://example.org/v1"}],
        "paths": {"/things/{id}": {"parameters": [named], "put": operation}},
        "components": {"schemas": schemas},
    }


def test_the_path_of_the_server_and_values_in_the_path_count(written: Written) -> None:
    tiny = written(putting({"type": "object"}))
    assert sent(tiny, "PUT", "/v1/things/7", {}) == ""
    assert "no such operation" in sent(tiny, "PUT", "/things/7", {})
    assert "path parameter 'id'" in sent(tiny, "PUT", "/v1/things/seven", {})


def test_null_is_taken_where_the_schema_says_so(written: Written) -> None:
    either = {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Size"}], "nullable": True}
    fields = {"a": {"type": "string", "enum": ["x"], "nullable": True}, "b": {"type": "string"}, "c": either}
    tiny = written(putting({"type": "object", "properties": fields}, Size={"type": "integer"}))
    assert sent(tiny, "PUT", "/v1/things/7", {"a": None, "c": None}) == ""
    assert "b: None is not of type" in sent(tiny, "PUT", "/v1/things/7", {"b": None})


def test_parts_of_a_whole_know_each_others_fields(written: Written) -> None:
    named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    sized = {"type": "object", "properties": {"box": {"type": "object", "properties": {"height": {"type": "integer"}}}}}
    tiny = written(putting({"allOf": [{"$ref": "#/components/schemas/Named"}, sized]}, Named=named))
    assert sent(tiny, "PUT", "/v1/things/7", {"name": "x", "box": {"height": 1}}) == ""
    assert "'colour' is not described" in sent(tiny, "PUT", "/v1/things/7", {"name": "x", "colour": 1})
    assert "'depth' is not described" in sent(tiny, "PUT", "/v1/things/7", {"name": "x", "box": {"depth": 1}})
    assert "'name' is missing" in sent(tiny, "PUT", "/v1/things/7", {"box": {}})
    assert answered(tiny, "PUT", "/v1/things/7", {"name": "x", "colour": 1}) == ""


def test_the_discriminator_says_which_branch_is_meant(written: Written) -> None:
    cat = {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}}
    dog = {"type": "object", "properties": {"kind": {"type": "string"}, "name": {"type": "string"}}}
    pet = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
    }
    tiny = written(putting(pet, Cat=cat, Dog=dog))
    assert sent(tiny, "PUT", "/v1/things/7", {"kind": "cat", "lives": 9}) == ""
    assert "lives: 'nine' is not of type" in sent(tiny, "PUT", "/v1/things/7", {"kind": "cat", "lives": "nine"})
    assert "'name' is not described" in sent(tiny, "PUT", "/v1/things/7", {"kind": "cat", "name": "Tom"})
    assert sent(tiny, "PUT", "/v1/things/7", {"kind": "Dog", "name": "Rex"}) == ""


def test_openapi_3_1_lists_its_types_and_counts_what_stands_beside_a_reference(written: Written) -> None:
    fields = {
        "note": {"type": ["string", "null"]},
        "code": {"$ref": "#/components/schemas/Code", "maxLength": 3},
        "size": {"type": "integer", "exclusiveMinimum": 0},
    }
    tiny = written(putting({"type": "object", "properties": fields}, version="3.1.0", Code={"type": "string"}))
    assert sent(tiny, "PUT", "/v1/things/7", {"note": None, "code": "abc", "size": 1}) == ""
    assert "code" in sent(tiny, "PUT", "/v1/things/7", {"code": "abcd"})
    assert "size" in sent(tiny, "PUT", "/v1/things/7", {"size": 0})


@pytest.mark.parametrize(
    ("told", "good", "bad"),
    [
        ("date-time", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00"),
        ("date-time", "2026-01-01T10:00:00+01:00", "2026-01-01"),
        ("date", "2026-01-31", "2026-02-31"),
        ("decimal", "10.50", "ten"),
    ],
)
def test_formats_of_texts(written: Written, told: str, good: str, bad: str) -> None:
    tiny = written(putting({"type": "object", "properties": {"it": {"type": "string", "format": told}}}))
    assert sent(tiny, "PUT", "/v1/things/7", {"it": good}) == ""
    assert told in sent(tiny, "PUT", "/v1/things/7", {"it": bad})


def test_whole_numbers_have_their_size(written: Written) -> None:
    tiny = written(putting({"type": "object", "properties": {"it": {"type": "integer", "format": "int32"}}}))
    assert sent(tiny, "PUT", "/v1/things/7", {"it": 2**31 - 1}) == ""
    assert "int32" in sent(tiny, "PUT", "/v1/things/7", {"it": 2**31})


def test_an_override_mends_a_description_in_one_place_only(written: Written) -> None:
    contents = putting(
        {"type": "object", "properties": {"it": {"$ref": "#/components/schemas/It"}}}, It={"enum": ["a"]}
    )
    mended: Any = written
    tiny = mended(contents, overrides={"#/components/schemas/It/enum": ["a", "b"]})
    assert sent(tiny, "PUT", "/v1/things/7", {"it": "b"}) == ""
    assert sent(written(contents), "PUT", "/v1/things/7", {"it": "b"}) != ""
    with pytest.raises(AssertionError, match="at home in none"):
        mended(contents, overrides={"#/components/schemas/Nothing/enum": []})


@pytest.mark.parametrize(
    ("pairs", "meant"),
    [
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[0][x]", "1"), ("a[0][y]", "2"), ("a[1][x]", "3")], {"a": [{"x": "1", "y": "2"}, {"x": "3"}]}),
        ([("a[2]", "1")], {"a": {"2": "1"}}),
    ],
)
def test_brackets_are_objects_and_lists(pairs: list[tuple[str, str]], meant: Any) -> None:
    assert nested(pairs) == meant


@pytest.mark.parametrize("pairs", [[("a", "1"), ("a[b]", "2")], [("a[b", "1")], [("a[b]c", "1")]])
def test_brackets_that_contradict_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="a"):
        nested(pairs)


def test_without_the_descriptions_a_test_is_skipped_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FINALMARKET_VENDOR_APIS")
    with pytest.raises(pytest.skip.Exception, match=r"NOT CHECKED .* FINALMARKET_VENDOR_APIS"):
        openapi("square", "api.json")


# The transport that looks on.


class Things(StandIn):
    """Answers PUT /v1/things/{id} with what it was given, and a token to whoever asks."""

    slug = "things"

    @route("PUT", "/v1/things/{id}")
    def put(self, request: Request, id: str) -> Reply:
        return Reply(200, request.json())

    @route("POST", "/token", is_open=True)
    def token(self, request: Request) -> Reply:
        return Reply(200, {"access_token": "t"})


def test_the_watched_transport_sees_requests_and_answers_without_the_sandboxs_prefix(written: Written) -> None:
    tiny = written(putting({"type": "object", "properties": {"it": {"type": "integer"}}}))
    with served(Things(World())) as (address,):
        watched = WatchedTransport(tiny, strip=address, ignore=("/token",))
        with httpx2.Client(transport=watched, base_url=address) as client:
            assert client.put("/v1/things/7", json={"it": 1}).json() == {"it": 1}
            client.post("/token", data={"grant_type": "refresh_token"})
            assert watched.faults == []
            client.put("/v1/things/7?x=1", json={"it": "one"})
    assert watched.operations == {"PUT /v1/things/{id}": 2}
    assert watched.faults == [
        "PUT /v1/things/{id}: the query parameter 'x' is not described",
        "PUT /v1/things/{id}: body, it: 'one' is not of type 'integer'",
        "PUT /v1/things/{id}, answer 200: it: 'one' is not of type 'integer'",
    ]
    assert [exchange.path for exchange in watched.exchanges] == ["/v1/things/7", "/token", "/v1/things/7"]


def test_a_broken_wire_stays_broken_under_watch_and_spoiled_answers_can_be_forgiven(written: Written) -> None:
    tiny = written(putting({"type": "object"}))
    stand_in = Things(World())
    with served(stand_in) as (address,):
        watched = WatchedTransport(tiny, strip=address)
        with httpx2.Client(transport=watched, base_url=address) as client:
            for fault in (Fault.RESET_AFTER, Fault.TRUNCATED):
                stand_in.faults.then(fault)
                with pytest.raises(httpx2.TransportError):
                    client.put("/v1/things/7", json={"it": "a text that is long enough to be cut"})
            assert watched.faults == []
            watched.answers_may_break = True
            stand_in.faults.then(Fault.MALFORMED)
            client.put("/v1/things/7", json={})
            assert watched.faults == []
            watched.answers_may_break = False
            stand_in.faults.then(Fault.MALFORMED)
            client.put("/v1/things/7", json={})
    assert len(watched.faults) == 1
    assert "not JSON" in watched.faults[0]


class _Packed(BaseHTTPRequestHandler):
    """Answers with a compressed body."""

    def do_GET(self) -> None:
        import gzip

        body = gzip.compress(b'{"it": 1}')
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Encoding", "gzip")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_a_compressed_answer_is_judged_unpacked_and_arrives_whole(written: Written) -> None:
    schema = {"type": "object", "properties": {"it": {"type": "integer"}}}
    contents = putting(schema)
    contents["paths"]["/things/{id}"]["get"] = {
        "responses": {"200": {"content": {"application/json": {"schema": schema}}}}
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Packed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        watched = WatchedTransport(written(contents), strip="")
        with httpx2.Client(transport=watched, base_url=f"http://127.0.0.1:{server.server_address[1]}") as client:
            assert client.get("/v1/things/7").json() == {"it": 1}
    finally:
        server.shutdown()
        server.server_close()
    assert watched.faults == []
