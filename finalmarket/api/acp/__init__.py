"""The door for shopping agents: the Agentic Commerce Protocol, version 2026-04-17, under /acp/."""
