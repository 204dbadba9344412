"""Who may use a route: a valid key with the scope, whose owner has the permission."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router
from ninja.security import HttpBearer

from forecastsite.api.keys import note_use
from forecastsite.api.models import ApiKey
from registry.access.permissions import require
from registry.lib.refusals import Problem

Limited = Literal["filtered", "refused"]  # what a key for some stores gets
REFUSED = "refused"

router = Router()  # one for all: two would not share an address


class KeyRequest(HttpRequest):
    """A request with a key."""

    user: User
    api_key: ApiKey | None
    once: Any  # a UUID, the same for a repeated request


class BearerKey(HttpBearer):
    """`Authorization: Bearer fs_…` with a scope; `stores` says whether a key for some stores may ask, too."""

    openapi_bearerFormat: ClassVar[str] = "fs_…"

    def __init__(self, scope: str, permission: str = "", stores: Limited = "refused") -> None:
        super().__init__()
        self.scope, self.permission, self.stores = scope, permission, stores

    def __call__(self, request: HttpRequest) -> ApiKey:
        """The key; raises Problem or PermissionDenied."""
        key: ApiKey | None = getattr(request, "api_key", None)
        if key is None:
            raise Problem(401, _("Send a valid key: Authorization: Bearer fs_…"))
        self.check_key(key)
        note_use(key, request.META.get("REMOTE_ADDR") or None)
        return key

    def check_key(self, key: ApiKey) -> None:
        """Raises PermissionDenied with one sentence unless the key and its owner may do this."""
        if self.scope and self.scope not in key.scopes:
            raise PermissionDenied(_("This key lacks the scope %(scope)s.") % {"scope": self.scope})
        if key.stores and self.stores == REFUSED:
            raise PermissionDenied(_("This key is for some stores only."))
        if self.permission:
            require(key.owner.has_perm(self.permission), self.permission)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Not used: the key was found before the route was."""
        raise NotImplementedError


def needs(scope: str, permission: str = "", stores: Limited = "refused") -> dict[str, Any]:
    """Options of a route: the key that opens it, and its chapter in the description."""
    return {"auth": BearerKey(scope, permission, stores), "tags": [scope.partition(":")[0] or "jobs"]}


def allows_store(request: KeyRequest, store: str) -> bool:
    """Whether the key is for this store."""
    key = request.api_key
    return key is None or not key.stores or store in key.stores


def require_store(request: KeyRequest, store: str) -> None:
    """Raises PermissionDenied for a store that the key is not for; a total needs a key for all."""
    if not allows_store(request, store):
        raise PermissionDenied(_("This key is for some stores only."))
