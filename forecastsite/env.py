"""Readers of environment variables; an invalid value stops the start with one sentence."""

from __future__ import annotations

import os
import secrets
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_env(name: str, default: str = "") -> str:
    """The stripped value of a variable, or the default if it is empty."""
    return os.environ.get(name, "").strip() or default


def read_env_bool(name: str, default: bool) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off; raises ImproperlyConfigured otherwise."""
    text = read_env(name, str(default)).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}: set it to true or false.")


def read_env_int(name: str, default: int, low: int, high: int) -> int:
    """A whole number from low to high; raises ImproperlyConfigured otherwise."""
    text = read_env(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to a whole number from {low} to {high}.")
    return int(text)


def read_env_address(name: str, default: str) -> str:
    """An IPv4 address; raises ImproperlyConfigured otherwise."""
    text = read_env(name, default)
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is {text!r}: set it to an IPv4 address of this machine, such as 127.0.0.1, "
            "or to 0.0.0.0 for all of them."
        ) from None


def read_env_choice(name: str, default: str, *others: str) -> str:
    """The default or one of the others; raises ImproperlyConfigured for anything else."""
    text = read_env(name, default).lower()
    if text not in (default, *others):
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to {' or '.join((default, *others))}.")
    return text


def read_env_networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated addresses or networks such as 10.0.0.0/8; raises ImproperlyConfigured otherwise."""
    texts = read_env_list(name, "")
    try:
        return [ip_network(text) for text in texts]
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name}: {problem}. Set it to addresses or networks.") from None


def read_env_list(name: str, default: str) -> list[str]:
    """Comma-separated values, stripped."""
    return [word.strip() for word in read_env(name, default).split(",") if word.strip()]


def load_secret_key(folder: Path, has_own_database: bool) -> str:
    """SECRET_KEY from the environment, else a random one stored in the data folder (mode 0600).

    Raises ImproperlyConfigured for a database that other hosts may use, too: they need the same key.
    """
    if given := read_env("SECRET_KEY"):
        if len(given) < 32:
            raise ImproperlyConfigured(
                "SECRET_KEY is shorter than 32 characters: choose a longer random one."
            )
        return given
    file = folder / "secret_key"
    if not has_own_database:
        hint = f"this host's is in {file}" if file.exists() else "at least 32 random characters"
        raise ImproperlyConfigured(
            f"With DATABASE_URL, set SECRET_KEY to the same value on every host ({hint}): "
            "sign-ins and jobs of one host are read by the others."
        )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(50))
    return file.read_text().strip()
