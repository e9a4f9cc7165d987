"""Whether the data of a GraphQL answer is what its document asked for: every field, of its type, and none beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
    is_composite_type,
)

from tests.connectors.descriptions.judge import shown
from tests.connectors.descriptions.scalars import ANSWERED, text_only


@dataclass(frozen=True)
class Wanted:
    """A field that a selection asks for; `parent` is the type that it is asked of; `is_sure` is False within a
    fragment of a type that the answer does not tell."""

    node: FieldNode
    parent: Any
    is_sure: bool


class Completion:
    """Collects the faults of one answer."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.faults: list[str] = []

    def check_object(self, kind: Any, sets: Iterable[SelectionSetNode], value: Any, where: str) -> None:
        """Compare an object with what was asked of it."""
        if not isinstance(value, dict):
            self.faults.append(f"{where} is to be an object of {kind.name}, not {shown(value)}")
            return
        real = self._real_type(kind, value, where)
        wanted: dict[str, list[Wanted]] = {}
        for selections in sets:
            for field in self._fields(real, selections, is_sure=True):
                key = field.node.alias.value if field.node.alias else field.node.name.value
                wanted.setdefault(key, []).append(field)
        for key in value:
            if key not in wanted:
                self.faults.append(f"{where}.{key} was not asked for")
        for key, fields in wanted.items():
            if key in value:
                self._check_field(fields, value[key], f"{where}.{key}")
            elif any(field.is_sure for field in fields):
                self.faults.append(f"{where}.{key} was asked for, and is missing")

    def _real_type(self, kind: Any, value: Mapping[str, Any], where: str) -> Any:
        """The object's own type, where an interface or union is asked of and the answer tells it."""
        name = value.get("__typename")
        if not isinstance(name, str):
            return kind
        told = self._schema.get_type(name)
        fits = told is kind or (
            isinstance(told, GraphQLObjectType) and is_abstract_type(kind) and self._schema.is_sub_type(kind, told)
        )
        if not fits:
            self.faults.append(f"{where}.__typename {name!r} is no {kind.name}")
            return kind
        return told

    def _fields(self, kind: Any, selections: SelectionSetNode, *, is_sure: bool) -> Iterator[Wanted]:
        for node in selections.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield Wanted(node, kind, is_sure)
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment: Any = self._fragments[node.name.value]
            else:
                assert isinstance(node, InlineFragmentNode)
                fragment = node
            condition = fragment.type_condition
            target = self._schema.get_type(condition.name.value) if condition else kind
            overlap = self._overlap(kind, target)
            if overlap is not None:
                inner = kind if isinstance(kind, GraphQLObjectType) else target
                yield from self._fields(inner, fragment.selection_set, is_sure=is_sure and overlap)

    def _overlap(self, kind: Any, target: Any) -> bool | None:
        """Whether an object of `kind` is a `target`: True or None (never); False where only its own type could tell."""
        if kind is target or (is_abstract_type(target) and self._schema.is_sub_type(target, kind)):
            return True
        if not is_abstract_type(kind):
            return None
        ours = set(self._schema.get_possible_types(kind))
        theirs = set(self._schema.get_possible_types(target)) if is_abstract_type(target) else {target}
        return False if ours & theirs else None

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                given = directive.arguments[0].value
                said = self._variables.get(given.name.value) if isinstance(given, VariableNode) else given.value
                if bool(said) is (directive.name.value == "skip"):
                    return False
        return True

    def _check_field(self, fields: list[Wanted], value: Any, where: str) -> None:
        name = fields[0].node.name.value
        if name == "__typename":
            return
        described = fields[0].parent.fields.get(name)
        if described is None:
            return  # the request is the fault
        sets = [field.node.selection_set for field in fields if field.node.selection_set is not None]
        self._check_value(described.type, sets, value, where)

    def _check_value(self, kind: Any, sets: list[SelectionSetNode], value: Any, where: str) -> None:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                self.faults.append(f"{where} is null, and must not be")
            else:
                self._check_value(kind.of_type, sets, value, where)
        elif value is None:
            return
        elif isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                self.faults.append(f"{where} is to be a list, not {shown(value)}")
                return
            for index, item in enumerate(value):
                self._check_value(kind.of_type, sets, item, f"{where}[{index}]")
        elif is_composite_type(kind):
            self.check_object(kind, sets, value, where)
        else:
            self._check_leaf(kind, value, where)

    def _check_leaf(self, kind: Any, value: Any, where: str) -> None:
        if isinstance(kind, GraphQLEnumType):
            if value not in kind.values:
                self.faults.append(f"{where}: {shown(value)} is no value of {kind.name}")
            return
        assert isinstance(kind, GraphQLScalarType)
        try:
            ANSWERED.get(kind.name, text_only)(value)
        except GraphQLError as error:
            self.faults.append(f"{where} ({kind.name}): {error.message}")
