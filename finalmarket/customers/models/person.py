"""Which profiles are one person: what people said, what is to be computed anew, and what has changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.customers.models.profile import OmnichannelCustomer


class CustomerMerge(models.Model):
    """A person said of two profiles that they are one person (join) or two (part): who, when and why. It counts until
    it is undone, and is kept for good. Rows of one decision bear the same `decision`."""

    class Kind(models.TextChoices):
        JOIN = "join", "One person"
        PART = "part", "Two persons"

    kind = models.CharField(max_length=4, choices=Kind)
    first = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    decision = models.UUIDField(db_index=True)
    actor = models.CharField(max_length=100)
    reason = models.CharField(max_length=500, blank=True, default="")
    source = models.CharField(max_length=100, blank=True, default="", help_text="Such as suggestion:17")
    at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=100, blank=True, default="")
    undone_for = models.UUIDField(null=True, blank=True, help_text="The decision that took its place")

    class Meta:
        db_table = "customer_merges"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["first", "second"], name="customer_merges_pairs")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["first", "second"], name="customer_merges_one_counts", condition=models.Q(undone_at=None)
            ),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="customer_merges_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_id} and {self.second_id}"


class MergeSuggestion(models.Model):
    """Two profiles that may be one person, and why: a person decides. `score` is from 0 to 1."""

    class State(models.TextChoices):
        OPEN = "open", "To be decided"
        ACCEPTED = "accepted", "One person"
        REJECTED = "rejected", "Two persons"

    first = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=100)
    evidence = models.JSONField(default=dict, blank=True)
    score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    suggested_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        db_table = "merge_suggestions"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="merge_suggestions_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="merge_suggestions_in_order"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="merge_suggestions_open", condition=models.Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"


class PersonMark(models.Model):
    """A profile whose person is to be computed anew. Only added to, by whoever adds evidence, so that nobody waits;
    `persons.settle` takes rows away with what it read."""

    customer = models.ForeignKey(
        OmnichannelCustomer, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "person_marks"

    def __str__(self) -> str:
        return f"mark of {self.customer_id}"


class PersonChange(models.Model):
    """A profile belongs to another person than before. The ids are in the order of the commits (all are written under
    one lock), so a reader may go on after the last one it has seen; see `persons.follow`."""

    customer_id = models.BigIntegerField()
    was = models.BigIntegerField(help_text="The person before")
    becomes = models.BigIntegerField(help_text="The person now")
    cause = models.CharField(max_length=100, help_text="evidence, or the decision of a person")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "person_changes"
        indexes: ClassVar = [
            models.Index(fields=["at"], name="person_changes_at"),
            models.Index(fields=["customer_id"], name="person_changes_profile"),
            models.Index(fields=["was"], name="person_changes_was"),
            models.Index(fields=["becomes"], name="person_changes_becomes"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.was} to {self.becomes}"


class PersonFollower(models.Model):
    """How far a room has read the changes of persons."""

    name = models.CharField(max_length=50, unique=True)
    last_change = models.BigIntegerField(default=0)

    class Meta:
        db_table = "person_followers"

    def __str__(self) -> str:
        return self.name
