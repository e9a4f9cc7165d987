"""Categories that rows name as paths from the root: `Home > Kitchen > Cups`."""

from __future__ import annotations

import hashlib

from django.utils.text import slugify

from finalmarket.bulk.stage import Stage
from finalmarket.catalog.models import Category

STEP = " > "


def open_categories(stage: Stage, paths: str) -> None:
    """Fill `category_id` of rows to store from their `category`, making the ones that are missing.

    `paths` is a query of the categories that are there: id, path of names.
    """
    known = {name: key for key, name in stage.rows(paths)}
    wanted = stage.rows(
        """SELECT DISTINCT category FROM {stage}
           WHERE action IN ('create', 'change') AND category IS NOT NULL ORDER BY category"""
    )
    for (path,) in wanted:
        if path not in known:
            _open(path, known)
    names = [path for (path,) in wanted]
    stage.run(
        """UPDATE {stage} new SET category_id = found.id FROM unnest(%s::text[], %s::bigint[]) found(name, id)
           WHERE found.name = new.category AND new.action IN ('create', 'change')""",
        [names, [known[name] for name in names]],
    )


def _open(path: str, known: dict[str, int]) -> None:
    """Make the categories of a path that are missing, from the root down."""
    parent: int | None = None
    walked = ""
    for name in (step.strip() for step in path.split(">")):
        walked = walked + STEP + name if walked else name
        if walked not in known:
            slug = slugify(walked.replace(STEP, "-"))[:180]
            if not slug or Category.objects.filter(slug=slug).exists():
                slug = f"{slug or 'category'}-{hashlib.sha256(walked.encode()).hexdigest()[:12]}"
            known[walked] = Category.objects.create(name=name, slug=slug, parent_id=parent).pk
        parent = known[walked]
