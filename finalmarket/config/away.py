"""What is answered where a view fails and has no words of its own for it: pages, webhooks, mails that come in.

A database that is away, full or read-only is no error of the page's: it is answered with 503 and when to come again, so
that platforms repeat what they brought and people know that nothing was lost.
"""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.defaults import server_error

from finalmarket.api.problems import Problem, answered
from finalmarket.kernel.trouble import Trouble, trouble_of

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Not now</title>
<main><h1>Not now</h1><p>{}</p><p>Come again in {} seconds; what you sent can be sent again.</p></main></html>
"""


def broken(request: HttpRequest) -> HttpResponse:
    """Return 503 where the database is in trouble, else 500. Called by Django while it handles the error."""
    error = sys.exc_info()[1]
    trouble = trouble_of(error) if error is not None else None
    return server_error(request) if trouble is None else told(request, trouble)


def told(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """Return the answer that tells of it: a page for people, problem details for programs."""
    again = {"Retry-After": str(trouble.retry_seconds)}
    if "text/html" not in request.headers.get("Accept", ""):
        return answered(Problem("away", trouble.sentence, headers=again))
    page = format_html(PAGE, trouble.sentence, trouble.retry_seconds)
    return HttpResponse(page, status=503, headers={**again, "Cache-Control": "no-store"})
