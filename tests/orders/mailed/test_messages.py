"""Messages are read into plain text, whoever wrote them: charsets, HTML, quotes, signatures, bad intent."""

from __future__ import annotations

import time

import pytest

from finalmarket.kernel import clock
from finalmarket.orders.mailed.markup import text_of_html
from finalmarket.orders.mailed.message import MOST_BYTES, Unreadable, from_fields, read
from finalmarket.orders.mailed.quoted import own_words
from tests.orders.mailed.letters import letter

HEAD = b"From: ann@example.com\r\nMessage-ID: <1@mail.example>\r\nSubject: x\r\n"


def test_sender_subject_and_text_are_read_and_the_id_is_bare() -> None:
    mail = read(letter("3 x TEA", subject="Bestellung für Jürgen"))
    assert (mail.email, mail.name, mail.subject) == ("ann@example.com", "Ann Lee", "Bestellung für Jürgen")
    assert (mail.text, mail.message_id, mail.unproved) == ("3 x TEA", "1@mail.example", "")


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15"])
def test_whatever_charset_it_was_written_in_umlauts_are_umlauts(charset: str) -> None:
    assert read(letter("zwei Stück grüner Tee", charset=charset)).text == "zwei Stück grüner Tee"


@pytest.mark.parametrize("charset", ["klingon", "punycode", "idna", "rot13", "hex", "x" * 500])
def test_a_charset_that_is_none_of_mail_is_read_as_best_it_can_be(charset: str) -> None:
    raw = HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n2 x TEA grün".encode()
    assert read(raw).text == "2 x TEA grün"


def test_the_plain_part_goes_before_html_and_html_alone_is_read_as_lines() -> None:
    both = read(letter("2 x TEA", html="<p>3 x CUP</p>"))
    assert both.text == "2 x TEA"
    alone = read(
        letter("", html="<style>p{}</style><p>Hello&nbsp;there,</p><table><tr><td> TEA </td>\n<td>3</td></tr></table>")
    )
    assert alone.text == "Hello there,\nTEA\t3"


def test_tables_that_are_attached_are_read_and_other_attachments_are_named() -> None:
    raw = letter("see the list", csv="sku;qty\nTEA;3\nCUP;4")
    assert read(raw).rows == (("sku", "qty"), ("TEA", "3"), ("CUP", "4"))
    pdf = raw.replace(b"text/csv", b"application/pdf").replace(b"order.csv", b"order.pdf")
    assert read(pdf).rows == ()
    assert read(pdf).warnings == ("Attachments were not read: order.pdf.",)


def test_what_our_own_server_found_wrong_with_the_sender_is_noted_and_later_headers_are_not_believed() -> None:
    ours = ("Authentication-Results", "mx.shop.example; spf=fail smtp.mailfrom=a; dkim=pass; dmarc=fail (p=reject)")
    theirs = ("Authentication-Results", "mx.evil.example; spf=pass; dkim=pass; dmarc=pass")
    assert read(letter("hello", headers=(ours, theirs))).unproved == "spf=fail, dmarc=fail"
    assert read(letter("hello", headers=(theirs, ours))).unproved == ""


def test_what_is_no_message_is_refused_and_what_is_too_large_too() -> None:
    with pytest.raises(Unreadable, match="no message"):
        read(b"\x00\x01\x02 nothing of the kind")
    with pytest.raises(Unreadable, match="15 MiB"):
        read(HEAD + b"\r\n" + b"a" * MOST_BYTES)


def _nested(depth: int) -> bytes:
    parts = [
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number) for number in range(depth)
    ]
    return HEAD + b"".join(parts) + b"Content-Type: text/plain\r\n\r\n3 x TEA\r\n"


MEANT_BADLY = {
    "a thousand parts within each other": _nested(1000),
    "without an end of its parts": HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n3 x TEA',
    "with half a million lines": HEAD + b"\r\n" + b"\n" * 500_000,
    "with a header that never ends": HEAD + b"X: " + b"=?utf-8?q?" * 50_000 + b"\r\n\r\nhello",
    "with a subject of nothing but encoded words": HEAD.replace(b": x", b": " + b"=?utf-8?q?a?=" * 20_000) + b"\r\n",
    "with a date that is none": HEAD + b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nhello",
    "with broken base64": HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n=!\xff=QQ",
    "with markup that opens and never closes": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div><!--" * 30_000,
    "with NUL and bare carriage returns": HEAD + b"Content-Type: text/plain\r\n\r\na\x00b\rc",
    "with NUL in its id and in what is attached": HEAD.replace(b"<1@", b"<\x001@")
    + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: a/\x00b\r\n'
    b"Content-Disposition: attachment\r\n\r\nx\r\n--b--",
    "with a sender of brackets": b"Subject: x\r\nFrom: " + b"<" * 10_000 + b"\r\n\r\nhello",
}


@pytest.mark.parametrize("kind", MEANT_BADLY)
def test_a_message_that_is_meant_badly_is_read_in_a_moment_and_kept_with_a_text_that_can_be_stored(kind: str) -> None:
    began = time.process_time()
    mail = read(MEANT_BADLY[kind])
    assert time.process_time() - began < 5
    assert "\x00" not in f"{mail.text}{mail.subject}{mail.name}{mail.message_id}{mail.warnings}".replace(
        "\\x00", "\x00"
    )
    assert len(mail.subject) <= 300
    assert mail.sent_at <= clock.now()


def test_what_could_not_be_read_is_said() -> None:
    assert "too many parts" in read(_nested(100)).warnings[0]


def test_fields_that_a_service_has_taken_apart_are_read_like_a_message() -> None:
    mail = from_fields(
        {
            "headers": "Message-ID: <7@mail.example>\nDate: Mon, 4 May 2026 12:00:00 +0200\n",
            "from": "Ann <a@example.com>", "subject": "tea", "text": "",
            "html": "<p>2 x TEA</p>", "SPF": "softfail", "dkim": "{@example.com : fail}",
        },
        {"attachment1": ("list.csv", b"TEA;3")},
    )  # fmt: skip
    assert (mail.message_id, mail.email, mail.text) == ("7@mail.example", "a@example.com", "2 x TEA")
    assert mail.unproved == "spf=fail, dkim=fail"
    assert mail.rows == (("TEA", "3"),)
    with pytest.raises(Unreadable):
        from_fields({"to": "orders@shop.example"}, {})


def test_comments_and_quotes_in_html_are_left_out() -> None:
    markup = (
        "<p>2 x TEA<!-- 9 x CUP --></p><blockquote>5 x POT</blockquote><div class='gmail_quote'>1 x CUP</div><p>Bye"
    )
    assert text_of_html(markup) == "2 x TEA\nBye"


QUOTED = {
    "On Mon, 4 May 2026 at 12:00, Shop <shop@example.com> wrote:\n> We have 9 x CUP": "an answer",
    "Am 4. Mai 2026 um 12:00 schrieb Shop\n<shop@example.com>:\n\nWir haben 9 x CUP": "an answer whose head is broken",
    "-----Original Message-----\nFrom: shop\n9 x CUP": "Outlook's",
    "From: Shop\nSent: Monday\nTo: Ann\nSubject: Re\n\n9 x CUP": "a head alone",
    "-- \nAnn Lee\nTel. 040 9 x CUP": "a signature",
    "Kind regards,\nAnn\n9 x CUP Street": "a farewell",
    "Sent from my iPhone\n9 x CUP": "a telephone's",
}


@pytest.mark.parametrize("tail", QUOTED, ids=list(QUOTED.values()))
def test_what_is_quoted_and_what_is_signed_with_is_cut(tail: str) -> None:
    assert own_words(f"Hello,\n2 x TEA please\n\n{tail}") == ("Hello,\n2 x TEA please", False)


def test_an_order_that_is_passed_on_is_read_and_said_to_be() -> None:
    passed = "\n---------- Forwarded message ---------\nFrom: Ann\nDate: Monday\nSubject: tea\nTo: us\n\n2 x TEA\n"
    assert own_words(passed) == ("2 x TEA", True)
