"""Messages as mailers write them."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime

from finalmarket.kernel import clock


def letter(
    text: str, *, sender: str = "Ann Lee <ann@example.com>", subject: str = "An order", number: str = "1",
    html: str = "", csv: str = "", charset: str = "utf-8", headers: tuple[tuple[str, str], ...] = (),
) -> bytes:  # fmt: skip
    """A message in MIME."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "orders@shop.example", subject
    made["Message-ID"], made["Date"] = f"<{number}@mail.example>", format_datetime(clock.now())
    for name, value in headers:
        made[name] = value
    if text:
        made.set_content(text, charset=charset)
    if html and text:
        made.add_alternative(html, subtype="html")
    elif html:
        made.set_content(html, subtype="html", charset=charset)
    if csv:
        made.add_attachment(csv.encode(), maintype="text", subtype="csv", filename="order.csv")
    return made.as_bytes()
