"""The mapping of an order import: which column of a file means what, and the rules of its lines. Written in TOML.

`load` reads one strictly: whatever is wrong is told with the file, the key, and what to write. Without a mapping the
columns are expected under the names of the fields themselves (`order`, `sku`, `quantity`, ...).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from finalmarket.bulk.orders_schema import FIELDS, OF_THE_ORDER, REQUIRED, RULE, SCHEMA, Setting
from finalmarket.kernel.errors import UserError

SHIPPED = Path(__file__).with_name("mappings")


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Values of one field whose orders belong to one channel, and how to make that channel where it is missing."""

    channel: str
    values: tuple[str, ...]
    channel_type: str
    currency: str
    country: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OrderMapping:
    """A mapping that was found right; `settings` holds every section with every key."""

    where: str
    settings: Mapping[str, Mapping[str, Any]]
    rules: tuple[ChannelRule, ...]
    text: str

    def get(self, section: str, key: str) -> Any:
        """The value of a key, or its default."""
        return self.settings[section][key]

    @property
    def columns(self) -> dict[str, str]:
        """The column of each field that has one."""
        return {field: column for field, column in self.settings["columns"].items() if column}

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of moments that name none."""
        return ZoneInfo(self.get("dates", "time_zone"))

    def columns_in(self, header: Sequence[str], file: Path) -> dict[str, str]:
        """The columns that the file has for the fields. Raises UserError naming the key whose column is missing."""
        found = {field: column for field, column in self.columns.items() if column in header}
        for field, column in self.columns.items():
            if field not in found and (self.text or field in REQUIRED):
                raise UserError(
                    f"{file}, line 1: there is no column {column!r} for the field {field} ({self.where},"
                    f" [columns] {field}); the file has {', '.join(header)}"
                )
        return found


def load(path: str | Path | None) -> OrderMapping:
    """Read a mapping: a file, the name of one that comes with the program, or None for the plain one.

    Raises UserError for a file that cannot be read, is no TOML, or holds what a mapping does not know.
    """
    if path is None:
        columns = {field: field for field in FIELDS}
        return _checked("the plain mapping (give --mapping FILE for another)", {"columns": columns}, "")
    file = Path(path)
    if not file.is_file():
        shipped = SHIPPED / f"{file.name.removesuffix('.toml')}.toml"
        if file.parent != Path() or not shipped.is_file():
            names = ", ".join(sorted(mapping.stem for mapping in SHIPPED.glob("*.toml")))
            raise UserError(f"there is no mapping file {path}; those that come with the program are: {names}")
        file = shipped
    try:
        text = file.read_text(encoding="utf-8")
        return _checked(str(path), tomllib.loads(text), text)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text; a mapping is written in TOML") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is no TOML: {error}") from None


def _checked(where: str, given: Mapping[str, Any], text: str) -> OrderMapping:
    for section in given:
        if section not in SCHEMA:
            raise UserError(f"{where}: there is no section [{section}]; a mapping has {', '.join(sorted(SCHEMA))}")
        if not isinstance(given[section], dict):
            raise UserError(f"{where}: {section} is a section; write [{section}] and its keys below it")
    settings = {section: _section(where, section, given.get(section, {})) for section in SCHEMA}
    missing = [field for field in REQUIRED if not settings["columns"][field]]
    if missing:
        raise UserError(
            f'{where}: [columns] lacks {", ".join(missing)}; write {missing[0]} = "the column\'s name" below [columns]'
        )
    rules = tuple(_rule(where, number, rule) for number, rule in enumerate(settings["channels"]["rules"], start=1))
    by = settings["channels"]["by"]
    if rules and by not in OF_THE_ORDER:
        known = ", ".join(OF_THE_ORDER)
        raise UserError(f"{where}: [channels] by must name the field that the rules look at: one of {known}")
    if rules and not settings["columns"][by]:
        raise UserError(f'{where}: [channels] by = "{by}", but [columns] names no column for {by}')
    _refuse_two_rules(where, rules)
    return OrderMapping(where, settings, rules, text)


def _section(where: str, section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    known = SCHEMA[section]
    if known is None:  # any names with texts
        for key, value in given.items():
            if not isinstance(value, str):
                raise UserError(f'{where}: [{section}] {key} must be text in quotes, such as "IE", not {value!r}')
        return dict(given)
    for key in given:
        if key not in known:
            raise UserError(f"{where}: [{section}] does not know the key {key!r}; it knows {', '.join(known)}")
    return {key: _value(f"{where}: [{section}] {key}", setting, given.get(key)) for key, setting in known.items()}


def _value(place: str, setting: Setting, value: Any) -> Any:
    if value is None:
        return setting.default
    if not isinstance(value, setting.kind) or (setting.kind is not bool and isinstance(value, bool)):
        raise UserError(f"{place} must be {setting.expected}, not {value!r}")
    if setting.check is not None:
        try:
            setting.check(value)
        except (ValueError, UserError) as error:
            raise UserError(f"{place} = {value!r}: {error}") from None
    return value


def _rule(where: str, number: int, given: Any) -> ChannelRule:
    place = f"{where}: rule {number} of [channels]"
    if not isinstance(given, dict):
        raise UserError(f"{place} must be a table; write [[channels.rules]] and its keys below it")
    for key in given:
        if key not in RULE:
            raise UserError(f"{place} does not know the key {key!r}; it knows {', '.join(RULE)}")
    values = {key: _value(f"{place}, {key}", setting, given.get(key)) for key, setting in RULE.items()}
    if not values["channel"] or not values["values"]:
        raise UserError(f'{place} needs channel = "a name" and values = ["what the field holds", ...]')
    return ChannelRule(
        values["channel"],
        tuple(values["values"]),
        values["type"],
        values["currency"],
        values["country"],
        values["time_zone"],
    )


def _refuse_two_rules(where: str, rules: Sequence[ChannelRule]) -> None:
    owner: dict[str, str] = {}
    for rule in rules:
        for value in rule.values:
            if owner.setdefault(value, rule.channel) != rule.channel:
                raise UserError(
                    f"{where}: [channels] gives {value!r} to two channels, {owner[value]} and {rule.channel};"
                    " leave it in one of them"
                )
