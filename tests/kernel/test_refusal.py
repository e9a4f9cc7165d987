"""What a model has against its own values is told with the names of the fields."""

import pytest
from django.core.exceptions import ValidationError

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.refusal import refusal


@pytest.mark.django_db
def test_each_field_that_is_wrong_is_named() -> None:
    with pytest.raises(ValidationError) as met:
        SalesChannel(name="", channel_type="bazaar").full_clean()
    told = refusal(met.value)
    assert "Name: This field cannot be blank." in told
    assert "channel_type: Value 'bazaar' is not a valid choice." in told


def test_what_is_of_no_field_stands_alone() -> None:
    assert refusal(ValidationError("two of them are the same")) == "Two of them are the same."
    assert refusal(ValidationError({"__all__": ["they end before they begin"]})) == "They end before they begin."
