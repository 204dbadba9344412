"""Scope: the series that a model learns and forecasts: all, one store or one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

ScopeKind = Literal["global", "store", "product"]
SCOPE_KINDS: tuple[ScopeKind, ...] = ("global", "store", "product")


@dataclass(frozen=True)
class Scope:
    """A kind and, unless it is global, the code of a store or product.

    >>> Scope.parse("product:P001")
    Scope(kind='product', code='P001')
    >>> str(Scope.parse("global"))
    'global'
    """

    kind: ScopeKind = "global"
    code: str = ""

    def __post_init__(self) -> None:
        if self.kind not in SCOPE_KINDS:
            raise ValueError(f"Unknown scope {self.kind!r}: use global, store:CODE or product:CODE.")
        if (self.kind == "global") == bool(self.code):
            raise ValueError(
                f"Scope {self.kind!r} with code {self.code!r}: use global, store:CODE or product:CODE."
            )

    @classmethod
    def parse(cls, text: str) -> Scope:
        """The scope of global, store:CODE or product:CODE; raises ValueError for other texts."""
        kind, _colon, code = text.partition(":")
        return cls(cast(ScopeKind, kind), code)

    def __str__(self) -> str:
        return f"{self.kind}:{self.code}" if self.code else self.kind
