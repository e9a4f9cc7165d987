"""What Alexa asks and is answered, in its own shapes: nothing in them is sure to be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_ID_CHARACTERS = 500


def inside(given: Any, *names: str) -> Any:
    """What stands there, by the names on the way; None where the way ends."""
    for name in names:
        given = given.get(name) if isinstance(given, Mapping) else None
    return given


def text(given: Any, *names: str) -> str:
    """The text that stands there; "" where there is none."""
    found = inside(given, *names)
    return found[:MOST_ID_CHARACTERS].replace("\x00", "") if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of Alexa's."""

    raw: Mapping[str, Any] = field(repr=False)

    @property
    def kind(self) -> str:
        """LaunchRequest, IntentRequest, SessionEndedRequest, AlexaSkillEvent.SkillDisabled, ..."""
        return text(self.raw, "request", "type")

    @property
    def is_event(self) -> bool:
        """Whether it tells of the skill itself and nobody waits for an answer."""
        return self.kind.startswith("AlexaSkillEvent.")

    @property
    def request_id(self) -> str:
        """What Alexa calls this request; the same when it is sent again."""
        return text(self.raw, "request", "requestId")

    @property
    def timestamp(self) -> str:
        """When it was made, as it is written there."""
        return text(self.raw, "request", "timestamp")

    @property
    def locale(self) -> str:
        """Such as en-US."""
        return text(self.raw, "request", "locale")

    @property
    def application_id(self) -> str:
        """Which skill it is for: the session says so, or the context where there is no session."""
        return text(self.raw, "session", "application", "applicationId") or text(
            self.raw, "context", "System", "application", "applicationId"
        )

    @property
    def access_token(self) -> str:
        """What shows whose linked account it is; "" where none is linked."""
        named = text(self.raw, "context", "System", "user", "accessToken")
        return named or text(self.raw, "session", "user", "accessToken")

    @property
    def user_id(self) -> str:
        """What Alexa calls the user of the device."""
        return text(self.raw, "context", "System", "user", "userId") or text(self.raw, "session", "user", "userId")

    @property
    def intent(self) -> str:
        """What the user wants; "" for what is no intent."""
        return text(self.raw, "request", "intent", "name")

    def slot(self, name: str) -> str:
        """What the user said there; "" for nothing."""
        return text(self.raw, "request", "intent", "slots", name, "value").strip()

    def slot_id(self, name: str) -> str:
        """The id of what Alexa recognised there among the values of our model; "" where it is none of them."""
        resolved = inside(self.raw, "request", "intent", "slots", name, "resolutions", "resolutionsPerAuthority")
        for one in resolved if isinstance(resolved, list) else ():
            values = inside(one, "values")
            if text(one, "status", "code") == "ER_SUCCESS_MATCH" and isinstance(values, list) and values:
                return text(values[0], "value", "id")
        return ""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What we let the session remember."""
        found = inside(self.raw, "session", "attributes")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. Without `speech` nothing is said; a `question` keeps the session open and is asked again where
    nobody answers; `remembered` are the attributes of the session from now on."""

    speech: str = ""
    question: str = ""
    remembered: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] | None = None
    elicits: str = ""
    ends: bool = True

    def envelope(self) -> dict[str, Any]:
        """The answer in Alexa's shape."""
        response: dict[str, Any] = {}
        if self.speech:
            response["outputSpeech"] = _spoken(self.speech)
            response["shouldEndSession"] = not self.question and self.ends
        if self.question:
            response["reprompt"] = {"outputSpeech": _spoken(self.question)}
        if self.card is not None:
            response["card"] = dict(self.card)
        if self.elicits:
            response["directives"] = [{"type": "Dialog.ElicitSlot", "slotToElicit": self.elicits}]
        return {"version": "1.0", "sessionAttributes": dict(self.remembered), "response": response}


def _spoken(words: str) -> dict[str, str]:
    return {"type": "PlainText", "text": words}


def simple_card(title: str, content: str) -> dict[str, str]:
    """A card for the app on the phone."""
    return {"type": "Simple", "title": title[:100], "content": content[:8_000]}


LINK_CARD: Mapping[str, str] = {"type": "LinkAccount"}
