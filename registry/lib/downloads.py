"""Downloads that are streamed for real, and never so many at once that pages become slow."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from registry.lib.refusals import refuse

AT_ONCE = 2  # costly downloads of one web process
PER_PERSON = 1
RETRY_SECONDS = "10"
RELEASES, ENDED = "forecastsite.releases", "forecastsite.ended"  # keys of an ASGI scope
BUSY_TEXT = _("Other downloads are still running. Wait until they have finished, then try again.")
PART_BYTES = 64 << 10  # of a file sent at a time

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


class StreamedFile(FileResponse):
    """A streamed response that is read part by part under ASGI, where Django reads a whole iterator first."""

    block_size = PART_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts; each is made in a thread after the one before has been sent."""
        parts = iter(self)
        while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
            yield part


class Slots:
    """Counts the downloads in progress, in all and by person."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken: Counter[object] = Counter()

    def take(self, person: object) -> bool:
        """Whether this person may start a download now; then it is counted."""
        with self.lock:
            if self.taken.total() >= AT_ONCE or self.taken[person] >= PER_PERSON:
                return False
            self.taken[person] += 1
            return True

    def release(self, person: object) -> None:
        """Counts a download of this person as ended."""
        with self.lock:
            self.taken[person] -= 1
            self.taken += Counter()  # drops people at zero


slots = Slots()


def costly_download(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """View decorator: refuses with 429 while this person, or too many people, are downloading."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
        person = request.user.pk
        if not slots.take(person):
            refusal = refuse(request, 429, BUSY_TEXT)
            refusal["Retry-After"] = RETRY_SECONDS
            return refusal
        try:
            response = view(request, *args, **values)
        except BaseException:
            slots.release(person)
            raise
        release_at_end(request, response, person)
        return response

    return limited


def release_at_end(request: HttpRequest, response: HttpResponseBase, person: object) -> None:
    """Releases the slot once: when the response is closed or forgotten, or its request has ended."""
    release = weakref.finalize(response, slots.release, person)
    scope = getattr(request, "scope", {})
    scope.setdefault(RELEASES, []).append(release)
    if scope.get(ENDED):  # the client left while the view was running
        release()
    response._resource_closers.append(release)  # type: ignore[attr-defined]


def release_after_request(pages: AsgiApp) -> AsgiApp:
    """An application that releases what its requests hold; Django may forget to close a response."""

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        try:
            await pages(scope, receive, send)
        finally:
            scope[ENDED] = True
            for release in scope.get(RELEASES, []):
                release()

    return application
