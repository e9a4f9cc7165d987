"""The practice office: a plain JSON platform that exists in this sandbox only, and shows all that books, mail, talk,
parcels and a payment page can be.

What a merchant's hub may call stands in the rooms of this package; each also holds what a test plays of the outside
world: a customer writes (`say`), reads mail (`open_mail`), approves a payment (`approve`) or disputes it (`dispute`), a
parcel moves on (`move_parcel`), somebody counts (`count`), two customers turn out to be one (`merge_customers`).
"""

from __future__ import annotations

from finalmarket.sandbox.platforms.practice_office.desk import MAIN, PAGE, TOKEN, Desk
from finalmarket.sandbox.platforms.practice_office.outside import Outside

__all__ = ["MAIN", "PAGE", "TOKEN", "Desk", "PracticeOffice"]


class PracticeOffice(Outside):
    """One account, with all its rooms."""

    slug = "practice_office"
