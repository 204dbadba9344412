"""What all hosts of one installation must agree on."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, models
from django.utils.crypto import constant_time_compare, salted_hmac

WRONG_KEY_TEXT = (
    "SECRET_KEY differs from the one that this database was set up with, so sign-ins and jobs of the other "
    "hosts could not be read. Set the same SECRET_KEY on every host; if you have changed it on all of them, "
    "start once with `manage.py up --new-key`."
)


class Installation(models.Model):
    """The only row: a fingerprint of the secret key."""

    key_fingerprint = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "installation"


class WrongKey(Exception):
    """This host has another secret key than the installation; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(WRONG_KEY_TEXT)


def fingerprint_key() -> str:
    """A hash of the secret key that tells nothing about it."""
    return salted_hmac("forecastsite.installation", "key", algorithm="sha256").hexdigest()


def check_key(accept_new: bool = False) -> None:
    """Compares this host's key with the installation's and raises WrongKey; the first host stores its own.

    A database in the data folder has one host, which may change its key as it likes.
    """
    accept_new = accept_new or connection.vendor == "sqlite"
    found = Installation.objects.get_or_create(pk=1, defaults={"key_fingerprint": fingerprint_key()})[0]
    if constant_time_compare(found.key_fingerprint, fingerprint_key()):
        return
    if not accept_new:
        raise WrongKey
    found.key_fingerprint = fingerprint_key()
    found.save()


def describe_host_risks() -> list[str]:
    """Sentences about settings that work but are most likely a mistake."""
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        return [
            "HTTPS is on but TRUSTED_PROXIES is 0: every visitor seems to come from the proxy, so wrong "
            "passwords of one lock everybody out. Set TRUSTED_PROXIES=1 if one proxy stands before the site."
        ]
    return []
