"""Levels: which columns group something, and the series that a selection means."""

from __future__ import annotations

from registry.series.levels import LevelValue, Selection, build_levels

KEYS = [(store, product) for store in ("S1", "S2", "S3") for product in ("A", "B", "C")]


def texts(by: dict[str, str], place: int) -> list[str]:
    return [by[key[place]] for key in KEYS]


BRANDS = texts({"A": "Bayer", "B": "", "C": "Bayer"}, 1)
REGIONS = texts({"S1": "North", "S2": "South", "S3": "North"}, 0)


def test_a_column_groups_products_or_stores_whichever_it_is_fixed_for():
    brand, region = build_levels(KEYS, {"brand": BRANDS, "region": REGIONS})
    assert (brand.side, brand.counts) == ("products", {"Bayer": 2, "": 1})
    assert (region.side, region.counts) == ("stores", {"North": 2, "South": 1})


def test_one_value_or_one_for_each_code_groups_nothing():
    own = texts({"A": "1", "B": "2", "C": "3"}, 1)
    assert build_levels(KEYS, {"same": ["x"] * 9, "blank": [""] * 9, "own": own}) == []


def test_a_column_that_differs_within_products_and_within_stores_is_no_level():
    assert build_levels(KEYS, {"shelf": list("abcabdabe")}) == []


def test_a_value_missing_in_one_store_is_that_of_the_others():
    gaps = [text if number else "" for number, text in enumerate(BRANDS)]
    assert build_levels(KEYS, {"brand": gaps})[0].values == {"A": "Bayer", "B": "", "C": "Bayer"}


def test_a_selection_finds_the_series_of_all_its_groups():
    levels = build_levels(KEYS, {"brand": BRANDS, "region": REGIONS})
    groups = (LevelValue("brand", "Bayer"), LevelValue("region", "South"))
    rows = Selection(levels=groups).find_rows(KEYS, levels)
    assert [KEYS[row] for row in rows] == [("S2", "A"), ("S2", "C")]
    assert Selection("S1", levels=groups[:1]).list_codes(levels) == ({"S1"}, {"A", "C"})
    assert Selection().is_whole and Selection().list_codes(levels) == (None, None)


def test_a_group_that_the_data_does_not_know_has_no_series():
    levels = build_levels(KEYS, {"brand": BRANDS})
    for group in (LevelValue("gone", "x"), LevelValue("brand", "gone")):
        assert not len(Selection(levels=(group,)).find_rows(KEYS, levels))


def test_a_group_is_written_and_read_back_whatever_its_letters():
    for group in (
        LevelValue("a:b%3A", "x:y · 5%\n“z”"),
        LevelValue("类别", "感冒 & 咳嗽"),
        LevelValue("b", ""),
    ):
        assert LevelValue.from_text(str(group)) == group
