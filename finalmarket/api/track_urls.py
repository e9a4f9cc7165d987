"""Where clients of analytics platforms find us: the platforms' own paths, below our address.

Each way of telling stands here with what its clients expect as an answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from finalmarket.api.track import (
    SEGMENT_BYTES,
    SEGMENT_CALL_BYTES,
    Door,
    for_browsers,
    hear,
    json_answer,
    pixel,
)
from finalmarket.journeys.dialects import amplitude, matomo, mixpanel, posthog, segment, snowplow
from finalmarket.journeys.dialects.heard import Call, Reading

SUCCESS = b'{"success": true}'

# Segment and RudderStack: /v1/track, /v1/t and their like. Jitsu: /api/s/track.


@for_browsers
def tell_segment(request: HttpRequest, what: str) -> HttpResponse:
    """One call, or a batch of them."""
    is_batch = segment.SHORT.get(what, what) in segment.BATCHES
    most = SEGMENT_BYTES if is_batch else SEGMENT_CALL_BYTES
    return hear(request, Door(segment.NAME, partial(segment.read, what=what), _success, most, 400))


def _success(call: Call, reading: Reading) -> HttpResponse:
    return HttpResponse(SUCCESS, content_type="application/json")


@for_browsers
def tell_jitsu(request: HttpRequest, what: str) -> HttpResponse:
    """As Segment's, under Jitsu's paths."""
    return hear(request, Door("jitsu", partial(segment.read, what=what), _ok, SEGMENT_BYTES))


def _ok(call: Call, reading: Reading) -> HttpResponse:
    return json_answer({"ok": True})


@for_browsers
def hear_nothing(request: HttpRequest, **named: Any) -> HttpResponse:
    """What clients tell of themselves (metrics of Segment's library)."""
    return HttpResponse(SUCCESS, content_type="application/json")


# PostHog: /batch/, /capture/, /e/, /i/v0/e/, and questions about flags, of which there are none. Amplitude's clients
# call /batch too, with another body.


def _either(call: Call) -> Reading:
    """PostHog's batch or Amplitude's, which says "events" where the other says "batch"."""
    if b'"events"' in call.body[:200_000] and b'"batch"' not in call.body[:200]:
        return amplitude.read(call)
    return posthog.read(call)


def _status(call: Call, reading: Reading) -> HttpResponse:
    return json_answer({"status": 1})


def _status_or_code(call: Call, reading: Reading) -> HttpResponse:
    return json_answer({"status": 1, **_ingested(call, reading)})


@for_browsers
def tell_posthog(request: HttpRequest) -> HttpResponse:
    """Events, one or many."""
    return hear(request, Door(posthog.NAME, posthog.read, _status))


@for_browsers
def tell_batch(request: HttpRequest) -> HttpResponse:
    """A batch of PostHog's or of Amplitude's."""
    return hear(request, Door(posthog.NAME, _either, _status_or_code))


@for_browsers
def flags(request: HttpRequest) -> HttpResponse:
    """No flags: nothing is switched from here."""
    return json_answer(
        {
            "flags": {}, "featureFlags": {}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": False,
            "requestId": str(uuid4()), "config": {"enable_collect_everything": False}, "sessionRecording": False,
            "toolbarParams": {}, "isAuthenticated": False, "supportedCompression": ["gzip", "gzip-js"],
        }
    )  # fmt: skip


@for_browsers
def flag_rules(request: HttpRequest) -> HttpResponse:
    """No rules of flags for servers either."""
    return json_answer({"flags": [], "group_type_mapping": {}, "cohorts": {}})


# Amplitude: /2/httpapi.


@for_browsers
def tell_amplitude(request: HttpRequest) -> HttpResponse:
    """A batch of events."""
    return hear(request, Door(amplitude.NAME, amplitude.read, _code))


def _code(call: Call, reading: Reading) -> HttpResponse:
    return json_answer(_ingested(call, reading))


def _ingested(call: Call, reading: Reading) -> dict[str, int]:
    told = len(reading.events) + len(reading.refused)
    at_ms = int(call.received_at.timestamp() * 1000)
    return {
        "code": 200, "events_ingested": told, "payload_size_bytes": len(call.body), "server_upload_time": at_ms,
    }  # fmt: skip


# Mixpanel: /track, /engage, /groups, /import.


@for_browsers
def tell_mixpanel(request: HttpRequest, what: str) -> HttpResponse:
    """Events, or what is known of people."""
    answer = _imported if what == "import" else _one
    return hear(request, Door(mixpanel.NAME, partial(mixpanel.read, what=what), answer))


def _one(call: Call, reading: Reading) -> HttpResponse:
    if call.asks("verbose") == "1":
        return json_answer({"status": 1, "error": ""})
    return HttpResponse(b"1", content_type="application/json")


def _imported(call: Call, reading: Reading) -> HttpResponse:
    told = len(reading.events) + len(reading.refused)
    return json_answer({"code": 200, "num_records_imported": told, "status": 1, "error": ""})


# Snowplow: /com.snowplowanalytics.snowplow/tp2 by POST, /i by GET.


@for_browsers
def tell_snowplow(request: HttpRequest) -> HttpResponse:
    """Events, one or many."""
    return hear(request, Door(snowplow.NAME, snowplow.read, _ok_or_pixel))


def _ok_or_pixel(call: Call, reading: Reading) -> HttpResponse:
    return pixel() if call.method == "GET" else HttpResponse(b"ok", content_type="text/plain")


# Matomo: /matomo.php, also by its former name.


@for_browsers
def tell_matomo(request: HttpRequest) -> HttpResponse:
    """Events, one or many."""
    return hear(request, Door(matomo.NAME, matomo.read, _tracked))


def _tracked(call: Call, reading: Reading) -> HttpResponse:
    if call.method == "POST":
        tracked, invalid = len(reading.events), len(reading.refused)
        return json_answer({"status": "success", "tracked": tracked, "invalid": invalid})
    return HttpResponse(status=204) if call.asks("send_image") == "0" else pixel()


urlpatterns = [
    re_path(r"^v1/(?P<what>identify|track|page|screen|group|alias|batch|import|[itpsgab])/?$", tell_segment),
    re_path(r"^v1/m/?$", hear_nothing),
    re_path(r"^api/s/(?:s2s/)?(?P<what>identify|track|page|screen|group|alias|batch)/?$", tell_jitsu),
    re_path(r"^batch/?$", tell_batch),
    re_path(r"^(?:capture|e|i/v0/e)/?$", tell_posthog),
    re_path(r"^(?:decide|flags)/?$", flags),
    re_path(r"^api/feature_flag/local_evaluation/?$", flag_rules),
    path("2/httpapi", tell_amplitude),
    re_path(r"^(?P<what>track|engage|groups|import)/?$", tell_mixpanel),
    re_path(r"^(?:com\.snowplowanalytics\.snowplow/tp2|i)$", tell_snowplow),
    re_path(r"^(?:matomo|piwik)\.php$", tell_matomo),
]
