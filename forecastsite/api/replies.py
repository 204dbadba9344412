"""Idempotency-Key: a POST that is sent twice is done once and answered twice."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from forecastsite.api.models import ApiKey, KeptReply
from registry.lib.refusals import Problem

TOKEN_HEADER = "Idempotency-Key"  # noqa: S105  the name of a header
MAX_TOKEN = 200
KEPT_FOR = timedelta(hours=24)
WORKED_ON_FOR = timedelta(seconds=60)  # after that the first request is taken to be lost
KEPT_HEADERS = ("Content-Type", "Location")
MAX_BODY = 1 << 20
Answer = Callable[[], HttpResponseBase]


def answer_once(
    request: HttpRequest, key: ApiKey, answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """The answer, or the kept one if the key has sent the same token before; raises Problem.

    `request.once` is the same for both, so that verbs that know a token do their work once even if a server
    died between the work and its answer.
    """
    token = request.headers.get(TOKEN_HEADER, "")
    vars(request)["once"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{key.pk} {token}") if token else uuid.uuid4()
    if request.method != "POST" or not token:
        return answer()
    if len(token) > MAX_TOKEN:
        raise Problem(400, _("The Idempotency-Key is longer than %(most)d characters.") % {"most": MAX_TOKEN})
    reply, is_new = begin_reply(key, token, hash_request(request))
    if not is_new:
        return repeat_reply(reply)
    try:
        response = answer()
    except BaseException:
        reply.delete()
        raise
    if response.streaming or response.status_code >= 500 or response.status_code in (401, 403, 429):
        reply.delete()
    else:
        keep_reply(reply, cast(HttpResponse, response))
    return response


def hash_request(request: HttpRequest) -> str:
    """Method, address and body of JSON; of a file its type and length."""
    parts = [request.method or "", request.get_full_path(), request.content_type or ""]
    digest = hashlib.sha256("\n".join(parts).encode())
    is_json = request.content_type == "application/json"
    digest.update(request.body if is_json else request.headers.get("Content-Length", "").encode())
    return digest.hexdigest()


def begin_reply(key: ApiKey, token: str, digest: str) -> tuple[KeptReply, bool]:
    """The row of this token, and whether this request does the work; raises Problem."""
    now = timezone.now()
    KeptReply.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return KeptReply.objects.create(key=key, token=token, digest=digest), True
    except IntegrityError:
        found = KeptReply.objects.get(key=key, token=token)
    if found.digest != digest:
        raise Problem(422, _("This Idempotency-Key was sent with another request."))
    if found.status is not None:
        return found, False
    late = KeptReply.objects.filter(pk=found.pk, status=None, created_at__lt=now - WORKED_ON_FOR)
    if late.update(created_at=now):
        return found, True
    raise Problem(409, _("The first request with this Idempotency-Key is not answered yet."), retry_after=2)


def keep_reply(reply: KeptReply, response: HttpResponse) -> None:
    """Keeps status, headers and body."""
    reply.status, reply.body = response.status_code, response.content[:MAX_BODY]
    reply.headers = {name: response[name] for name in KEPT_HEADERS if name in response.headers}
    reply.save(update_fields=["status", "body", "headers"])


def repeat_reply(reply: KeptReply) -> HttpResponse:
    """The kept answer, marked as such."""
    response = HttpResponse(bytes(reply.body), status=reply.status or 200, headers=reply.headers)
    response["Idempotency-Replayed"] = "true"
    return response
