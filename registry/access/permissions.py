"""Permission checks. Permissions are Django's; a role is a group that holds permissions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import SET_NULL, Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Person = User | AnonymousUser
# of a foreign key to whoever did something: rows outlive people
PERSON_FIELD: dict[str, Any] = {
    "on_delete": SET_NULL,
    "null": True,
    "blank": True,
    "related_name": "+",
}


def roles_with(permission: str) -> list[str]:
    """Translated names of the groups that hold a permission, the smallest role first."""
    app, codename = permission.split(".")
    found = Group.objects.filter(
        permissions__content_type__app_label=app, permissions__codename=codename
    ).order_by("pk")
    return [_(name) for name in found.values_list("name", flat=True)]


def role_names(user: Any) -> str:
    """The roles of a person in words; whoever has none is a viewer."""
    if user.is_superuser:
        return _("Administrator")
    names = [_(name) for name in user.groups.order_by("pk").values_list("name", flat=True)]
    return ", ".join(names) or _("Viewer")


def explain_refusal(permission: str) -> str:
    """One sentence that names the roles with this permission."""
    roles = roles_with(permission)
    if not roles:
        return _("Only an administrator may do this.")
    return _("You need the role %(roles)s for this: ask an administrator.") % {"roles": _(" or ").join(roles)}


def require(allowed: bool, permission: str) -> None:
    """Raises PermissionDenied, naming the roles that may, unless `allowed`."""
    if not allowed:
        raise PermissionDenied(explain_refusal(permission))


def permission_required(permission: str) -> Callable[[View], View]:
    """Decorator: restricts a view to users who hold the permission."""

    def wrap_view(view: View) -> View:
        @wraps(view)
        def guarded_view(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            require(request.user.has_perm(permission), permission)
            return view(request, *args, **options)

        return cast(View, guarded_view)

    return wrap_view


def is_owner(user: Person, row: Model, permission: str) -> bool:
    """Whether the user created the row and still holds the permission to create such rows."""
    maker: Any = getattr(row, "created_by_id", None)
    return maker is not None and maker == user.pk and user.has_perm(permission)
