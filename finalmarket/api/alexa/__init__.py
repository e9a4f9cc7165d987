"""The voice door: a custom skill for Amazon Alexa (https://developer.amazon.com/docs/alexa/custom-skills)."""
