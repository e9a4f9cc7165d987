"""What is kept of people in the room of access: nothing on purpose."""

from finalmarket.kernel.personal import EMPTY_TEXT, Table, impersonal

TABLES = (
    impersonal("api_keys", "name", "prefix", "digest", "scopes", "created_by"),
    Table(
        "api_idempotent_calls", "", {"answer": EMPTY_TEXT}, searched=("answer",), none=("token", "digest", "headers"),
        kept="What a program was answered, for two days: numbers; where a word of a person got in, the answer goes.",
    ),
    impersonal("api_audit", "operation", "subject"),
    impersonal("shop_keys", "kind", "key", "origins", "created_by"),
    impersonal("staff_bindings"),
    impersonal(
        "works", "kind", "subject", "file_name", "state", "told", "found", "given", "made", "asked_by"
    ),  # goods, prices, stock: files of people are for the command line
    impersonal("shop_devices", "name", "code_digest", "token_digest", "created_by"),
)  # fmt: skip
