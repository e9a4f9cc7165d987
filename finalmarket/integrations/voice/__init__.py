"""The skills of voice channels, and which customers have linked their assistants to them."""
