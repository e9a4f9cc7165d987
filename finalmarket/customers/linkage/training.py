"""Learns from the merchant's own customers what agreement and difference count; nobody has to say who is who.

`u` is counted among pairs taken at random, `m` by expectation maximisation within pairs that agree in something
(Fellegi and Sunter's model, as Splink carries it out). Seeds are fixed: the same customers give the same weights.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import structlog

from finalmarket.customers.linkage.pairs import (
    CERTAIN,
    FEWEST_TRAINING_PAIRS,
    FOR_TRAINING,
    FOUND_BY_CERTAIN,
    TRAINING_PAIRS_PER_PERSON,
    Rule,
    affordable,
    columns_of,
    count,
    count_distinct,
)
from finalmarket.customers.linkage.weights import (
    COMPARISONS,
    FEWEST_PERSONS,
    MOST_PRIOR,
    Comparison,
    Weights,
    default_prior,
    default_weights,
    is_sane,
)

SEED = 20
RANDOM_PAIRS = 1_000_000


def learn(connection: Any, persons: int, columns: set[str]) -> Weights:
    """Return the weights for the table `records` of a DuckDB connection: learned where the data allow it, else the
    default ones, with a note that says for what and why."""
    if persons < FEWEST_PERSONS:
        return default_weights(persons, f"{persons:,} persons are too few to learn from; default weights")
    rules = [
        rule
        for rule in affordable(connection, FOR_TRAINING, columns, TRAINING_PAIRS_PER_PERSON * persons)
        if count(connection, rule) >= FEWEST_TRAINING_PAIRS
    ]
    if len(rules) < 2:
        return default_weights(persons, "too few customers agree in anything to learn from; default weights")
    prior, notes = _prior(connection, persons, columns)
    model = _train(connection, Weights(prior, default_weights(persons).levels), rules, columns)
    return _kept(model, prior, notes, persons, columns)


def _prior(connection: Any, persons: int, columns: set[str]) -> tuple[float, list[str]]:
    rules = [rule for rule in CERTAIN if columns_of(rule) <= columns]
    found = count_distinct(connection, rules)
    share = found / FOUND_BY_CERTAIN / (persons * (persons - 1) / 2)
    if 0 < share <= MOST_PRIOR:
        return share, []
    reason = "no two customers agree in enough" if not found else "too many customers agree in all"
    return default_prior(persons), [f"{reason} to tell how many are there twice; one in twenty is assumed"]


def _train(connection: Any, start: Weights, rules: Sequence[Rule], columns: set[str]) -> dict[str, Any]:
    from splink import block_on

    linker = linker_of(connection, start, [], columns)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for rule in rules:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
        except Exception as error:  # of many kinds; what is not learned keeps its default weight, and is said
            structlog.get_logger(__name__).warning("nothing learned from pairs", rule=rule, error=type(error).__name__)
    model: dict[str, Any] = linker.misc.save_model_to_json()
    return model


def _kept(model: dict[str, Any], prior: float, notes: list[str], persons: int, columns: set[str]) -> Weights:
    """What was learned, as far as it makes sense."""
    kept = dict(default_weights(persons).levels)
    learned = []
    for told in model["comparisons"]:
        column = told["output_column_name"]
        levels = [level for level in told["comparison_levels"] if not level.get("is_null_level")]
        pairs = zip(levels, kept[column], strict=True)
        shares = tuple((level.get("m_probability", m), level.get("u_probability", u)) for level, (m, u) in pairs)
        if is_sane(shares):
            kept[column] = shares
            learned.append(column)
        else:
            notes.append(f"{column.replace('_', ' ')}: what was learned makes no sense; default weights")
    return Weights(prior, kept, tuple(learned), tuple(notes))


def linker_of(connection: Any, weights: Weights, rules: Sequence[Rule], columns: set[str]) -> Any:
    """Return Splink's linker over the table `records` with these weights and blocking rules."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="person",
        probability_two_random_records_match=weights.prior,
        comparisons=[_settings_of(one, weights) for one in COMPARISONS if one.column in columns],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules or [("person",)]],
        retain_matching_columns=True,  # and the levels with them
    )
    return Linker(DuckDBAPI(connection).register("records"), settings, log_level=logging.CRITICAL)


def _settings_of(one: Comparison, weights: Weights) -> dict[str, Any]:
    """A comparison as Splink reads it; its first level is that of values that are not there, which count nothing."""
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{one.column}_l IS NULL OR {one.column}_r IS NULL",
            "label_for_charts": "not known",
            "is_null_level": True,
        }
    ]
    for level, (m, u) in zip(one.levels, weights.levels[one.column], strict=True):
        told: dict[str, Any] = {
            "sql_condition": level.condition, "label_for_charts": level.told, "m_probability": m, "u_probability": u,
        }  # fmt: skip
        if level.term and weights.weighs_terms:
            told["tf_adjustment_column"] = level.term
        levels.append(told)
    return {"output_column_name": one.column, "comparison_levels": levels}
