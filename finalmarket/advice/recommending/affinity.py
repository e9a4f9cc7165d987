"""What goes with what, and what to recommend: plain numbers, no database. The job, the pages and the proof on real data
call the same functions.

Two goods go together when the same people touched both (item-based collaborative filtering, Sarwar et al. 2001): the
cosine of their columns in the table of persons and goods. A touch counts the less the older it is, by half every
30 days, and a look counts less than a purchase. A person is shown what goes with their own touches, in the sum; then,
where that is not enough, what sells best.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import sparse
else:
    sparse = later("scipy.sparse")

Ids: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]

HALF_LIFE_DAYS = 30.0
BOUGHT, LOOKED_AT = 1.0, 0.3
MOST_NEIGHBOURS = 50
MOST_GOODS_OF_A_PERSON = 500
_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Touches:
    """Who touched what, with the weight of the touch now. Of several touches of one thing by one person the weightiest
    counts."""

    persons: Ids
    goods: Ids
    weights: Numbers

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, float]]) -> Touches:
        """Take rows of (person, goods, weight) in."""
        persons, goods, weights = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.array(persons, np.int64), np.array(goods, np.int64), np.array(weights, np.float64))


@dataclass(frozen=True, slots=True)
class Affinities:
    """What goes with what: `others` with `goods`, row by row, by how much, and how many persons touched both."""

    goods: Ids
    others: Ids
    scores: Numbers
    together: Ids


@dataclass(frozen=True, slots=True)
class Pick:
    """Goods to show to somebody. `because` are those of their own touches that speak for it most, None where it is only
    that it sells well."""

    goods: int
    score: float
    because: int | None = None


def decayed(ages_days: Numbers, weight: float | Numbers = BOUGHT, half_life_days: float = HALF_LIFE_DAYS) -> Numbers:
    """Return what touches of these ages count now; what lies ahead counts as of today."""
    counted: Numbers = weight * 0.5 ** (np.maximum(ages_days, 0.0) / half_life_days)
    return counted


def affinities(touches: Touches, *, most: int = MOST_NEIGHBOURS) -> Affinities:
    """Return what goes with what: for each of the goods the `most` others that go with it best. Nothing depends on the
    order of the rows; of equals the lesser number goes first."""
    if not touches.goods.size:
        nothing = np.zeros(0, np.int64)
        return Affinities(nothing, nothing, np.zeros(0), nothing)
    table, goods = _table(_without_crowds(touches))
    columns = table.T.tocsr()
    norms = np.sqrt(np.asarray(table.multiply(table).sum(axis=0)).ravel())
    ones = table.copy()
    ones.data[:] = 1.0
    found = []
    for start in range(0, goods.size, _ROWS_AT_ONCE):
        block = (columns[start : start + _ROWS_AT_ONCE] @ table).tocsr()
        counts = (ones.T.tocsr()[start : start + _ROWS_AT_ONCE] @ ones).tocsr()
        found.append(_best_of(block, counts, norms, start, most))
    rows, others, scores, together = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Affinities(goods[rows], goods[others], scores, together)


def best_sellers(touches: Touches) -> dict[int, float]:
    """Return how much each of the goods is bought now, by persons, each counted once; the best first."""
    if not touches.goods.size:
        return {}
    table, goods = _table(touches)
    sums = np.asarray(table.sum(axis=0)).ravel()
    order = np.lexsort((goods, -sums))
    return dict(zip(goods[order].tolist(), sums[order].tolist(), strict=True))


def recommend(
    touches: Touches, known: Affinities, popular: Mapping[int, float], *, most: int,
    barred: Mapping[int, Collection[int]], only: Collection[int] | None = None, persons: Collection[int] = (),
) -> dict[int, list[Pick]]:  # fmt: skip
    """Return for everybody who touched something, and for `persons`, what to show to them, the best first: what goes
    with their touches, then what sells best. Nothing is shown to a person that is `barred` for them, nor, with `only`,
    anything else than those goods."""
    everybody = np.union1d(touches.persons, np.array(sorted(persons), np.int64))
    scored = _scores(touches, known, everybody)
    fallback = list(popular)
    allowed = None if only is None else set(only)
    found: dict[int, list[Pick]] = {}
    for number, person in enumerate(everybody.tolist()):
        not_shown = set(barred.get(person, ()))
        picks = scored.best(number, most, not_shown, allowed)
        shown = not_shown | {one.goods for one in picks}
        for goods in fallback:
            if len(picks) >= most:
                break
            if goods not in shown and (allowed is None or goods in allowed):
                picks.append(Pick(goods, 0.0))
        found[person] = picks
    return found


@dataclass(frozen=True, slots=True)
class _Scored:
    """Touches and affinities as tables over the same goods, and their product."""

    history: Any
    similar: Any
    scores: Any
    goods: Ids

    def best(self, row: int, most: int, barred: set[int], allowed: set[int] | None) -> list[Pick]:
        """The goods that score best in a row, none that is barred, with what of the history speaks for each most."""
        first, last = self.scores.indptr[row : row + 2]
        columns, values = self.scores.indices[first:last], self.scores.data[first:last]
        kept = ~np.isin(self.goods[columns], np.array(sorted(barred), np.int64))
        if allowed is not None:
            kept &= np.isin(self.goods[columns], np.array(sorted(allowed), np.int64))
        columns, values = columns[kept], values[kept]
        order = np.lexsort((columns, -values))[:most]
        if not order.size:
            return []
        columns, values = columns[order], values[order]
        mine = slice(*self.history.indptr[row : row + 2])
        own, weights = self.history.indices[mine], self.history.data[mine]
        spoken = self.similar[own][:, columns].multiply(weights[:, None]).toarray().argmax(axis=0)
        rows = zip(self.goods[columns].tolist(), values.tolist(), self.goods[own[spoken]].tolist(), strict=True)
        return [Pick(goods, value, because) for goods, value, because in rows]


def _scores(touches: Touches, known: Affinities, everybody: Ids) -> _Scored:
    goods = np.unique(np.concatenate([touches.goods, known.goods, known.others]))
    size = goods.size
    rows, columns, weights = _greatest(touches)
    history = sparse.csr_matrix(
        (weights, (np.searchsorted(everybody, rows), np.searchsorted(goods, columns))), shape=(everybody.size, size)
    )
    pairs = np.searchsorted(goods, known.goods), np.searchsorted(goods, known.others)
    similar = sparse.csr_matrix((known.scores, pairs), shape=(size, size))
    return _Scored(history, similar, (history @ similar).tocsr(), goods)


def _greatest(touches: Touches) -> tuple[Ids, Ids, Numbers]:
    """One entry for each pair of person and goods, its weightiest."""
    order = np.lexsort((touches.weights, touches.goods, touches.persons))
    persons, goods, weights = touches.persons[order], touches.goods[order], touches.weights[order]
    if not persons.size:
        return persons, goods, weights
    is_last = np.append((persons[1:] != persons[:-1]) | (goods[1:] != goods[:-1]), True)
    return persons[is_last], goods[is_last], weights[is_last]


def _without_crowds(touches: Touches) -> Touches:
    """Leave each person their weightiest touches: somebody who touches everything says nothing of what goes together,
    and would cost the square of it."""
    persons, goods, weights = _greatest(touches)
    order = np.lexsort((goods, -weights, persons))
    persons, goods, weights = persons[order], goods[order], weights[order]
    starts = np.searchsorted(persons, persons)
    kept = np.arange(persons.size) - starts < MOST_GOODS_OF_A_PERSON
    return Touches(persons[kept], goods[kept], weights[kept])


def _table(touches: Touches) -> tuple[Any, Ids]:
    """The table of persons and goods, and which goods its columns are."""
    persons, goods, weights = _greatest(touches)
    _, rows = np.unique(persons, return_inverse=True)
    names, columns = np.unique(goods, return_inverse=True)
    return sparse.csr_matrix((weights, (rows, columns)), shape=(rows.max() + 1, names.size)), names


def _best_of(block: Any, counts: Any, norms: Numbers, start: int, most: int) -> tuple[Ids, Ids, Numbers, Ids]:
    """The best neighbours of a block of goods, as (goods, other, score, together), without the goods themselves."""
    pairs = block.tocoo()
    rows, others = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    scores = pairs.data / (norms[rows + start] * norms[others])
    is_other = rows + start != others
    rows, others, scores = rows[is_other], others[is_other], scores[is_other]
    order = np.lexsort((others, -scores, rows))
    rows, others, scores = rows[order], others[order], scores[order]
    kept = np.arange(rows.size) - np.searchsorted(rows, rows) < most
    rows, others, scores = rows[kept], others[kept], scores[kept]
    together = np.asarray(counts[rows, others]).ravel().astype(np.int64) if rows.size else np.zeros(0, np.int64)
    return rows + start, others, scores, together
