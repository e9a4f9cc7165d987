"""Chat: questions and orders in conversations on the chat platforms, answered there."""
