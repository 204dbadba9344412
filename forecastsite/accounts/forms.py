"""The sign-in form."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator


class SignInForm(AuthenticationForm):
    """A name that no account can have is refused before it is looked up and logged."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        name: Any = self.fields["username"]
        message = str(self.error_messages["invalid_login"]) % {"username": self.username_field.verbose_name}
        name.validators = [*name.validators, MaxLengthValidator(name.max_length or 150, message)]
