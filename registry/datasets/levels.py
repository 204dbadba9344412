"""The levels of a dataset version: read from its file, named in the reader's language, and searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from registry.datasets.importing.headers import normalize_name
from registry.datasets.models import DatasetVersion
from registry.datasets.names import ItemNames
from registry.datasets.store.reading import RowFilter, iter_tables
from registry.lib.errors import MessageError
from registry.series.levels import Level, LevelValue, Selection, Side, build_levels, find_level

LEVEL_LABELS = {  # by the normalised name of the column
    gettext_noop("Category"): "category categoryid categoryname cat catid 类别 分类 品类",
    gettext_noop("Subcategory"): "subcategory subcat subcategoryid 小类 子类",
    gettext_noop("Brand"): "brand brandid brandname 品牌",
    gettext_noop("Manufacturer"): "manufacturer producer maker 厂家 生产厂家",
    gettext_noop("Supplier"): "supplier vendor 供应商",
    gettext_noop("Department"): "department dept deptid departmentid 部门",
    gettext_noop("Department group"): "departmentgroup",
    gettext_noop("Division"): "division divisionid",
    gettext_noop("Product group"): "productgroup itemgroup group groupid 商品组",
    gettext_noop("Product family"): "family productfamily",
    gettext_noop("Product class"): "class productclass itemclass",
    gettext_noop("Segment"): "segment",
    gettext_noop("Assortment"): "assortment",
    gettext_noop("Region"): "region regionid area 区域 地区 大区",
    gettext_noop("Country or region"): "country 国家",
    gettext_noop("State or province"): "state stateid province 省份",
    gettext_noop("City"): "city 城市",
    gettext_noop("District"): "district",
    gettext_noop("Cluster"): "cluster storecluster",
    gettext_noop("Format"): "format 业态",
    gettext_noop("Store format"): "storeformat",
    gettext_noop("Store type"): "storetype 门店类型",
}
SERIES_COLUMNS = ["store_id", "product_id"]
LABEL_BY_NAME = {name: label for label, names in LEVEL_LABELS.items() for name in names.split()}
NO_LEVEL = gettext_noop("{dataset} has no level {column}: it has {levels}.")
NO_VALUE = gettext_noop("{dataset} has no {column} {value}: it has {near}, …")
NO_LEVELS = gettext_noop("none")
SHOWN_VALUES = 5
GROUP_JOINT = " · "


def read_levels(version: DatasetVersion) -> tuple[Level, ...]:
    """The levels of stores and products that group something; raises CorruptArtifact."""
    columns = tuple(name for name, role in version.roles.items() if role == "static")
    return read_file_levels(version.pk, columns) if columns else ()


@lru_cache(maxsize=16)  # a version never changes
def read_file_levels(pk: UUID, columns: tuple[str, ...]) -> tuple[Level, ...]:
    """The levels among these columns of a version's file."""
    version = DatasetVersion.objects.get(pk=pk)
    first = next(iter_tables(version, RowFilter(buckets=())))  # for its columns: of one part, no rows
    texts = [name for name in columns if pa.types.is_dictionary(first.schema.field(name).type)]
    if not texts:
        return ()
    firsts: dict[tuple[str, str], list[str]] = {}
    for table in iter_tables(version, columns=SERIES_COLUMNS + texts):  # earlier spans come first
        for store, product, *values in read_first_rows(table):
            firsts.setdefault((store, product), [(value or "").strip() for value in values])
    firsts = dict(sorted(firsts.items()))
    columns_of_values = zip(*firsts.values(), strict=True)
    return tuple(build_levels(list(firsts), dict(zip(texts, columns_of_values, strict=True))))


def read_first_rows(table: pa.Table) -> Iterable[tuple[str, ...]]:
    """The first row of each series, by the texts of its columns; the rows stand in order of series."""
    table = table.unify_dictionaries().combine_chunks()
    codes = [table[name].chunk(0).indices.to_numpy() for name in SERIES_COLUMNS]
    starts = np.flatnonzero(np.any([np.diff(one, prepend=-1) != 0 for one in codes], axis=0))
    return zip(*(column.to_pylist() for column in table.take(starts).columns), strict=True)


def level_label(column: str) -> str:
    """What a level is called: the usual ones translated, any other by the name of its column."""
    label = LABEL_BY_NAME.get(normalize_name(column))
    return _(label) if label else column


def value_label(value: str) -> str:
    """A value of a level in words."""
    return value or _("not given")


def group_label(group: LevelValue) -> str:
    """A group as pages name it: "Brand: Bayer"."""
    return _("%(level)s: %(value)s") % {
        "level": level_label(group.column),
        "value": value_label(group.value),
    }


def describe_selection(selection: Selection, names: ItemNames) -> str:
    """Product, groups and store with their names; what is empty is left out."""
    product = names.format_product(selection.product) if selection.product else ""
    store = names.format_store(selection.store) if selection.store else ""
    groups = GROUP_JOINT.join(group_label(group) for group in selection.levels)
    return GROUP_JOINT.join(part for part in (product, groups, store) if part)


def list_groups(levels: Sequence[Level], side: Side) -> list[tuple[LevelValue, int]]:
    """Every group of one side and its number of codes, level by level, the largest first."""
    return [
        (LevelValue(level.column, value), count)
        for level in levels
        if level.side == side
        for value, count in level.counts.items()
    ]


def search_groups(levels: Sequence[Level], side: Side, words: str) -> list[tuple[LevelValue, int]]:
    """The groups whose label has all the words, those whose value begins with the text first."""
    wanted = words.casefold().split()
    found = [
        (group, count)
        for group, count in list_groups(levels, side)
        if all(word in f"{group_label(group)} {group.column}".casefold() for word in wanted)
    ]
    return sorted(found, key=lambda pair: not pair[0].value.casefold().startswith(words.strip().casefold()))


def resolve_groups(levels: Sequence[Level], side: Side, typed: str) -> tuple[LevelValue, ...]:
    """The groups that a text names, one or several joined; empty if any part of it names none."""
    whole = resolve_group(levels, side, typed)
    if whole is not None:
        return (whole,)
    found = [resolve_group(levels, side, part) for part in typed.split(GROUP_JOINT)]
    known = tuple(group for group in found if group is not None)
    return known if len(known) == len(found) else ()


def resolve_group(levels: Sequence[Level], side: Side, typed: str) -> LevelValue | None:
    """The group that a text names: its label, column:value, or a value that only one level has."""
    wanted = typed.strip().casefold()
    groups = [group for group, _count in list_groups(levels, side)]
    spelled = [one for one in groups if wanted in (group_label(one).casefold(), str(one).casefold())]
    alike = [one for one in groups if wanted and wanted == one.value.casefold()]
    found = spelled or alike
    exact = [one for one in found if typed.strip() in (one.value, group_label(one), str(one))]
    return (exact or found)[0] if len(exact or found) == 1 else None


def parse_group(version: DatasetVersion, text: str) -> LevelValue:
    """The group of a text column:value, if the data has it; raises ValueError with one sentence."""
    group, levels = LevelValue.from_text(text), read_levels(version)
    level = find_level(levels, group.column)
    if level is None:
        known = ", ".join(one.column for one in levels) or _(NO_LEVELS)
        raise MessageError(NO_LEVEL, dataset=str(version.dataset), column=repr(group.column), levels=known)
    if group.value not in level.counts:
        near = ", ".join(list(level.counts)[:SHOWN_VALUES])
        values = {"column": group.column, "value": repr(group.value), "near": near}
        raise MessageError(NO_VALUE, dataset=str(version.dataset), **values)
    return group
