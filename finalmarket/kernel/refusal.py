"""What a model has against its own values, for a person."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from finalmarket.kernel.errors import sentence


def refusal(error: ValidationError) -> str:
    """Return it as a sentence that names each field: "This field cannot be blank." alone helps nobody."""
    if not hasattr(error, "error_dict"):
        return sentence(" ".join(error.messages))
    named = ("" if field == NON_FIELD_ERRORS else f"{field}: " for field in error.message_dict)
    said = (f"{name}{' '.join(words)}" for name, words in zip(named, error.message_dict.values(), strict=True))
    return sentence(" ".join(said))
