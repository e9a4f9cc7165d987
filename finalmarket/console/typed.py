"""Numbers as somebody typed them into a form, or as a form carries them."""

from __future__ import annotations

from django.core.exceptions import ValidationError


def number_of(text: str) -> int:
    """A whole number as a form gives it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def units_of(text: str) -> int:
    """A number of units. Raises ValidationError for anything else."""
    written = text.strip()
    if not (written.isascii() and written.isdigit() and len(written) < 9):
        raise ValidationError(f"{text[:20]!r} is no number of units.")
    return int(written)
