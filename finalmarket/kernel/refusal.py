"""What a model has against its own values, for a person."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from finalmarket.kernel.errors import sentence


def refusal(error: ValidationError) -> str:
    """Return it as a sentence that names each field: "This field cannot be blank." alone helps nobody."""
    return sentence(" ".join(f"{field}: {words}" if field else words for field, words in by_field(error)))


def by_field(error: ValidationError) -> list[tuple[str, str]]:
    """Return what it has against each field by the field's name, "" for what is of no field alone."""
    if not hasattr(error, "error_dict"):
        return [("", " ".join(error.messages))]
    return [("" if field == NON_FIELD_ERRORS else field, " ".join(said)) for field, said in error.message_dict.items()]
