"""Shopping agents: assistants that buy on a channel, by the Agentic Commerce Protocol, version 2026-04-17
(https://github.com/agentic-commerce-protocol/agentic-commerce-protocol). Its shapes stand in `*_words.py`."""
