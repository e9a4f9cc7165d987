"""What people are worth, which segments there are, who is in them, and who moved when and why."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.customers.models import OmnichannelCustomer

KEY = RegexValidator(r"^[a-z][a-z0-9_]{0,49}\Z", "A key is small letters, digits and _ , such as summer_buyers.")
MOST_NAME_CHARACTERS = 80


def _amount(**options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=20, decimal_places=4, **options)


class ValueModel(models.Model):
    """What expectations were computed with: one row for each time that was learned from all orders. Its id is the
    version that stands beside every value."""

    fitted_at = models.DateTimeField(db_default=Now())
    name = models.CharField(max_length=40, blank=True, default="", help_text="Empty: nothing could be learned")
    currency = models.CharField(max_length=3)
    horizon_days = models.PositiveIntegerField()
    learned: models.JSONField[Any, Any] = models.JSONField(default=dict)
    cuts: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="From which value on a score is given")
    persons = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField(db_default=Now(), help_text="Orders were followed up to here")

    class Meta:
        db_table = "value_models"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name or 'no model'}, version {self.pk}"


class CustomerValue(models.Model):
    """What a person brought and is expected to bring, with the scores; written by lifetime_value_stored.py alone.

    Who never bought has no row. Days are those of the channels' time zones, amounts are net revenue in `currency`."""

    person = models.OneToOneField(
        OmnichannelCustomer, primary_key=True, on_delete=models.CASCADE, related_name="worth", editable=False
    )
    model = models.ForeignKey(ValueModel, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    computed_at = models.DateTimeField(db_default=Now())
    currency = models.CharField(max_length=3)
    orders = models.PositiveIntegerField()
    order_days = models.PositiveIntegerField(help_text="Orders of one day count as one")
    first_order_on = models.DateField()
    last_order_on = models.DateField()
    value = _amount(help_text="Net revenue so far")
    value_year = _amount(help_text="Net revenue of the last 365 days")
    repeat_mean = _amount(null=True, help_text="Mean of the days after the first")
    unpriced_orders = models.PositiveIntegerField(default=0, help_text="In a currency without a rate: not in the value")
    recency_score = models.PositiveSmallIntegerField()
    frequency_score = models.PositiveSmallIntegerField()
    monetary_score = models.PositiveSmallIntegerField()
    alive = models.FloatField(null=True, help_text="Chance that they have not left for good")
    expected_orders = models.FloatField(null=True)
    expected_value = _amount(null=True)
    expected_low = _amount(null=True)
    expected_high = _amount(null=True)
    lifetime_value = _amount(help_text="So far, and what is expected where something is")

    class Meta:
        db_table = "customer_values"

    def __str__(self) -> str:
        return f"value of person {self.person_id}"


class Segment(models.Model):
    """A group of persons by a rule (segments_rules.py). Of the built-in ones each person is in exactly one: the first,
    by rank, whose rule holds. Others have members of their own."""

    key = models.CharField(max_length=50, unique=True, validators=[KEY])
    name = models.CharField(max_length=MOST_NAME_CHARACTERS)
    rank = models.PositiveSmallIntegerField(null=True, editable=False, help_text="Of the built-in ones alone")
    rule: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    marks: models.JSONField[Any, Any] = models.JSONField(
        default=dict, editable=False, help_text="From which value on somebody is among the highest"
    )
    created_by = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    sorted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "segments"
        ordering: ClassVar = ["rank", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        """Whether it is one of the five that every person is sorted into."""
        return self.rank is not None


class SegmentMember(models.Model):
    """A person in a segment that is not built in."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members", db_index=False)
    person = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="segments")
    since = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "segment_members"
        constraints: ClassVar = [models.UniqueConstraint(fields=["segment", "person"], name="segment_members_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.segment_id}"


class SegmentChange(models.Model):
    """A person moved: from one built-in segment to another, or into (`was` is empty) or out of (`becomes` is empty) one
    of the others. Kept under the number of the person at that time."""

    person = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+", db_index=False)
    was = models.CharField(max_length=50, blank=True, default="")
    becomes = models.CharField(max_length=50, blank=True, default="")
    cause = models.CharField(max_length=30, help_text="What set it off")
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "segment_changes"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["person", "-id"], name="segment_changes_person"),
            models.Index(fields=["at"], name="segment_changes_main", condition=~Q(was="") & ~Q(becomes="")),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.was} to {self.becomes}"
