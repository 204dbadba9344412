"""What the rows of all pieces say about the roles of extra columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import ColumnRoles, is_constant_per_series, propose_role
from registry.datasets.importing.values import CategoricalColumn


@dataclass
class ColumnTraits:
    """Whether an extra column holds words, one value in each series, and values after the last sale."""

    is_word: bool
    is_fixed: bool = True
    has_future_values: bool = False


@dataclass
class RoleEvidence:
    """Collects the traits of the columns that have no role yet."""

    given: ColumnRoles
    last_day: int  # with sales
    traits: dict[str, ColumnTraits] = field(default_factory=dict)
    repeats: bool = False

    def collect(self, content: CanonicalTable) -> None:
        """Adds the rows of a piece."""
        self.repeats |= len(content.series_starts) < content.row_count
        is_future = content.days > self.last_day
        for name in content.extras:
            if self.given.get(name):
                continue
            column = content.extras[name]
            is_word = isinstance(column, CategoricalColumn)
            traits = self.traits.setdefault(name, ColumnTraits(is_word))
            if isinstance(column, CategoricalColumn):
                is_filled = np.array([bool(text.strip()) for text in column.values], dtype=bool)
                filled = is_filled[column.codes[is_future]]
                traits.is_fixed &= is_constant_per_series(column.codes, content.series_starts)
            else:
                filled = ~np.isnan(column[is_future])
                traits.is_fixed &= is_constant_per_series(column, content.series_starts)
            traits.has_future_values |= bool(filled.any())

    def assign_roles(self, names: list[str]) -> ColumnRoles:
        """The given roles, and a proposed one for every other extra column."""
        roles = {}
        for name in names:
            roles[name] = self.given.get(name, "")
            if not roles[name] and name in self.traits:
                found = self.traits[name]
                roles[name] = propose_role(
                    name, found.is_fixed, found.is_word, found.has_future_values, self.repeats
                )
        return roles
