"""Totals among stores, products and days: by their name, and by arithmetic."""

from __future__ import annotations

import re
from collections.abc import Container

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.checks.sales_columns import SalesColumns
from registry.datasets.importing.date_words import fold_word
from registry.datasets.importing.findings import Example
from registry.datasets.importing.values import CategoricalColumn, Codes, distinct_texts, is_text_type

KEY_COLUMNS = ("date", "store_id", "product_id")
TOTAL_WORDS = """
total, totals, grand total, subtotal, sub total, overall total, sum, sum total, overall,
totaux, sous total, total général, somme, ensemble des magasins,
summe, gesamtsumme, endsumme, zwischensumme, gesamt, insgesamt, gesamtergebnis, gesamttotal, teilergebnis,
totale, totali, totale complessivo, totale generale, subtotale, somma,
total general, totales, suma, suma total, total geral, totais, soma, soma total, total parcial,
totaal, eindtotaal, subtotaal, totaal generaal, algemeen totaal, som,
итого, всего, общий итог, итог, сумма, промежуточный итог, всього, разом, загальний підсумок,
общо, всичко, сума,
razem, ogółem, łącznie, suma końcowa, celkem, celkový součet, součet, mezisoučet, spolu, celkom, súčet,
összesen, végösszeg, mindösszesen, részösszeg, ukupno, svega, skupaj, vsota, укупно, total gen, total general,
toplam, genel toplam, ara toplam, σύνολο, γενικό σύνολο, σύνολα, μερικό σύνολο,
summa, totalt, totalsumma, delsumma, sammanlagt, i alt, sum totalt, hovedtotal, yhteensä, loppusumma,
kokku, kopā, pavisam, iš viso, viso, gjithsej, jumlah, total keseluruhan, tổng, tổng cộng, tổng số,
合计, 总计, 小计, 总和, 汇总, 总数, 合計, 総計, 総合計, 小計, 總計, 總和, 計, 合计数,
합계, 총계, 소계, 총합계, 계,
รวม, รวมทั้งหมด, ยอดรวม, รวมทั้งสิ้น,
المجموع, الإجمالي, الاجمالي, مجموع, الإجمالي الكلي, المجموع الكلي, جمع, جمع کل,
סה"כ, סהכ, סך הכל, कुल, योग, कुल योग, মোট
"""
TOTAL_NAMES = frozenset(fold_word(word) for word in TOTAL_WORDS.replace("\n", " ").split(","))
SHORT_WORD = 3  # letters; such words are parts of too many others
TOTAL_INSIDE = re.compile(
    "|".join(re.escape(word) for word in TOTAL_NAMES if len(word) > SHORT_WORD or not word.isascii())
)
TOTAL_OF = re.compile(r"(?:grand |sub ?)?total(?:e|s)?\s*(?::| of | für | de | )\s*(.+)", re.IGNORECASE)
MIN_DAYS, MIN_SISTERS = 7, 2  # days that a sum must fit on, and codes that it adds up
FIRST_DAYS = 28
MAX_CELLS = 200_000_000  # of a table of days and codes
ROUNDING = 1e-6


def find_totals(columns: SalesColumns, name: str) -> Mask | None:
    """[N] rows of totals, as tills and spreadsheets write them between and below the others."""
    column = columns.table[name]
    if not is_text_type(column.type):
        return None
    values = distinct_texts(column)
    totals, named = ({text for text in values if test(text)} for test in (is_total, is_named_total))
    total_of = {text: found[1].strip() for text in values if (found := TOTAL_OF.fullmatch(text.strip()))}
    if not (totals or named or total_of):
        return None
    texts = CategoricalColumn.from_arrow(column)

    def find_rows(wanted: Container[str]) -> Mask:
        return np.array([text in wanted for text in texts.values], dtype=bool)[texts.codes]

    blank = count_blank_keys(columns, name)
    result = find_rows(totals) | (find_rows(total_of) & (blank > 0))
    result |= find_rows(named) & (blank == len(KEY_COLUMNS) - 1)
    if total_of:
        others = [columns.table[other] for other in KEY_COLUMNS if is_text_type(columns.table[other].type)]
        codes = {text.strip() for other in others for text in distinct_texts(other)} - {""}
        result |= find_rows({text for text, part in total_of.items() if part in codes})
    return result if result.any() else None


def count_blank_keys(columns: SalesColumns, name: str) -> npt.NDArray[np.int64]:
    """[N] how many of the other key columns are empty in a row."""
    blank = np.zeros(len(columns.table[name]), dtype=np.int64)
    for other in KEY_COLUMNS:
        if other != name and is_text_type(columns.table[other].type):
            texts = CategoricalColumn.from_arrow(columns.table[other])
            blank += np.array([not text.strip() for text in texts.values])[texts.codes]
    return blank


def is_total(text: str) -> bool:
    """
    >>> [is_total(text) for text in ("Grand total", "合计：", "TOPLAM", "Итого:", "المجموع", "*** Summe ***")]
    [True, True, True, True, True, True]
    >>> is_total("Totalplast"), is_total("Colgate Total"), is_total("Total Fiber")
    (False, False, False)
    """
    return fold_word(text.strip(" :：*=-–_.")) in TOTAL_NAMES


def is_named_total(text: str) -> bool:
    """Whether a word for total is a part of the text, as in rows without a store or product.

    >>> [is_named_total(text) for text in ("Dagtotaal", "Tagessumme 1.9.", "Total 2025-09-01", "2025-09-01")]
    [True, True, True, False]
    """
    return TOTAL_INSIDE.search(fold_word(text)) is not None


def find_sums(content: CanonicalTable) -> tuple[str, Mask] | None:
    """(column, [N] rows) of a store or product that adds the others up on every day; None when none does."""
    if not content.row_count:
        return None
    days = content.days - content.days.min()
    stores, products = content.stores, content.products
    first = np.flatnonzero(days < FIRST_DAYS)  # most files have no sum there and are done
    for name, codes, sisters in (("product_id", products, stores), ("store_id", stores, products)):
        width = int(days.max()) + 1
        if len(codes.values) <= MIN_SISTERS or len(sisters.values) * width > MAX_CELLS:
            continue
        code = None
        for rows, least in ((first, 1), (slice(None), MIN_DAYS)):
            cells = sisters.codes[rows].astype(np.int64) * width + days[rows]
            code = find_sum_code(codes.codes[rows], cells, np.nan_to_num(content.sales[rows]), least)
            if code is None:
                break
        if code is not None:
            return name, codes.codes == code
    return None


def find_sum_code(
    codes: Codes, cells: npt.NDArray[np.int64], sales: npt.NDArray[np.float64], least: int
) -> int | None:
    """The code whose sales are the sum of the others' in every cell; `cells` [N] number day and place.

    In at least `least` cells and half of all, it adds up two or more others.
    """
    size, count = int(cells.max()) + 1, int(codes.max()) + 1
    whole = np.bincount(cells, sales, size)
    sold = np.bincount(cells, sales != 0, size)
    is_half = np.abs(2 * sales - whole[cells]) <= ROUNDING * np.maximum(np.abs(whole[cells]), 1)
    fits = np.bincount(codes, is_half, count)
    proved = np.bincount(codes, is_half & (sold[cells] > MIN_SISTERS) & (sales != 0), count)
    rows = np.bincount(codes, minlength=count)
    filled = int((np.bincount(cells, minlength=size) > 0).sum())
    found = np.flatnonzero((fits == rows) & (rows == filled) & (proved >= np.maximum(least, rows / 2)))
    return int(found[0]) if len(found) == 1 else None


def flag_sums(log: FindingLog, content: CanonicalTable, row_numbers: npt.NDArray[np.int32]) -> Mask | None:
    """[N] rows of a store or product that adds the others up, if they are left out."""
    found = find_sums(content)
    if found is None:
        return None
    name, rows = found
    texts = content.stores if name == "store_id" else content.products
    places = [
        Example(int(row_numbers[row]), log.column_label(name), texts.values[texts.codes[row]])
        for row in np.flatnonzero(rows)[: log.MAX_BAD_ROWS]
    ]
    places.sort(key=lambda place: place.row)
    return rows if log.add_finding("total-row", places, int(rows.sum())) == "skip" else None
