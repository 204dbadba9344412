"""Numbers as people write them: currencies, groups, digits of other scripts, and signs of a missing value."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

NUMBER_PATTERN = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
INFINITY_PATTERN = re.compile(r"[-+]?(inf|infinity)", re.IGNORECASE)
ZERO_PADDED = re.compile(r"[-+]?0\d")  # 00123 is a code, not a number
BOOLEAN_VALUES = {"true": 1.0, "false": 0.0}
# what databases, pandas, R, SAS and Excel write into a cell without a value
MISSING_VALUES = {
    *("null", "(null)", "<null>", "nil", "none", "nan", "<na>", "na", "n/a", "n.a.", "#n/a", "#na", "nat"),
    *("\\n", "#null!", "#div/0!", "#ref!", "#value!", "#name?", "#num!", "-", "--", "---", "–", "—", "."),
    *("#nv", "#null", "k.a.", "s/d", "n/d", "b.d.", "無", "无", "なし", "없음"),
}
# signs and abbreviations of currencies beside those that Unicode or ISO 4217 names
CURRENCY_WORDS = (
    *(
        "R$",
        "US$",
        "A$",
        "C$",
        "CA$",
        "AU$",
        "NZ$",
        "HK$",
        "NT$",
        "S$",
        "MX$",
        "RD$",
        "J$",
        "Z$",
        "B/.",
        "S/.",
    ),
    *("S/", "Bs.", "Bs", "Gs.", "Gs", "Rp.", "Rp", "RM", "Rs.", "Rs", "Tk", "zł", "zl", "kr.", "kr", "Kč"),
    *("Kc", "Ft", "lei", "leu", "лв.", "лв", "руб.", "руб", "р.", "грн.", "грн", "тг.", "тг", "тенге", "сум"),
    *("дин.", "дин", "din.", "din", "ден", "KM", "TL", "SFr.", "SFr", "Fr.", "Fr", "Euro", "euros", "euro"),
    *("元", "圓", "圆", "円", "块", "원", "บาท", "đ", "₫", "RMB", "CNH", "NTD", "د.إ.", "د.إ", "ر.س.", "ر.س"),
    *("ج.م.", "ج.م", "د.ك", "ر.ق", "درهم", "ريال", "ریال", "تومان", "جنيه", "دينار", "ש״ח", ".-", ",-"),
)
WORDS_PATTERN = "|".join(re.escape(word) for word in sorted(CURRENCY_WORDS, key=len, reverse=True))
CURRENCY_BEFORE = re.compile(rf"({WORDS_PATTERN})\s*(?=[-+(\d.,])")
CURRENCY_BEHIND = re.compile(rf"(?<=[\d.,)-])\s*({WORDS_PATTERN}|\$)$")
CODE_BEFORE = re.compile(r"([A-Z]{3})\s*(?=[-+(\d.,])")
CODE_BEHIND = re.compile(r"(?<=[\d)])\s*([A-Za-z]{3})$")
SMALL_CODES = {"eur", "usd", "gbp", "chf", "pln", "sek", "nok", "dkk", "czk", "huf"}
RAND = re.compile(r"R\s?(?=\d[\d ,.]*[.,]\d\d$)")  # R12.50; R12 is rather a code
# the first group never begins with 0: 0,651 has a decimal comma
DECIMAL_POINT = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d*)?|\d*\.\d+|[1-9]\d{0,2}([ '’]\d{3})+\.\d+", re.ASCII)
DECIMAL_COMMA = re.compile(r"[1-9]\d{0,2}(\.\d{3})+(,\d*)?|\d*,\d+|[1-9]\d{0,2}([ '’]\d{3})+,\d+", re.ASCII)
LAKH_GROUPS = re.compile(r"[1-9]\d?(,\d{2})+,\d{3}(\.\d*)?", re.ASCII)  # 1,02,350: how India groups
LAKH_START = re.compile(r"[1-9]\d?(,\d{2})*,\d{3}(\.\d*)?", re.ASCII)
AMBIGUOUS_NUMBER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)  # 1,234 may be 1234 or 1.234
NEGATIVE_BRACKETS = re.compile(r"\(([^()]+)\)")
MINUS_SIGNS = str.maketrans("−‐‑‒–﹣", "------")
ARABIC_MARKS = re.compile("[٫٬]")


def is_missing(text: str) -> bool:
    """Whether a cell of a number column says that it has no value.

    >>> [is_missing(text) for text in ("NULL", "#N/A", " - ", "0", "", "Nan bread")]
    [True, True, True, False, False, False]
    """
    return text.strip().casefold() in MISSING_VALUES


def normalize_number(text: str, decimal: str = ".") -> str:
    """A number as Python writes it: without currencies, per cent and thousands separators.

    >>> [normalize_number(text) for text in ("¥1,234.50", "１２", "1,5", "1,02,350", "R$ 5", "12.5 %")]
    ['1234.50', '12', '1,5', '102350', '5', '12.5']
    >>> [normalize_number(text, ",") for text in ("1.234,5", "1 234", "12,50 zł", "Rp 12.500,00")]
    ['1234.5', '1234', '12.50', '12500.00']
    >>> [normalize_number(text) for text in ("12-", "(1,250.00)", "-€ 3", "1’250.5 CHF", "5 Stk", "($1)")]
    ['-12', '-1250.00', '-3', '1250.5', '5 Stk', '-1']
    """
    text = text.strip()
    if text.isascii() and (text.isdigit() or (decimal == "." and NUMBER_PATTERN.fullmatch(text))):
        return text
    bare = to_ascii_digits(text)
    if ARABIC_MARKS.search(bare):
        bare, decimal = bare.replace("٬", "").replace("٫", "."), "."
    sign, bare = strip_sign(bare)
    bare = ungroup(bare, decimal)
    if decimal == "," and "." not in bare:
        bare = bare.replace(",", ".")
    return sign + bare


def to_ascii_digits(text: str) -> str:
    """The text with digits, spaces and minus signs as ASCII knows them, without invisible characters."""
    text = text.replace("\x1a", "")
    if text.isascii():
        return text.strip()
    text = unicodedata.normalize("NFKC", text).translate(MINUS_SIGNS)
    parts = []
    for letter in text:
        if unicodedata.category(letter) == "Cf":
            continue
        number = unicodedata.decimal(letter, None)
        parts.append(letter if number is None else str(number))
    return "".join(parts).strip()


def strip_sign(text: str) -> tuple[str, str]:
    """("-" or "", the number without sign, brackets, currency and per cent).

    >>> strip_sign("-$2.50"), strip_sign("€ 3,50-"), strip_sign("'12")
    (('-', '2.50'), ('-', '3,50'), ('', '12'))
    """
    sign = ""
    if re.match(r"'[-+\d]", text):  # Excel's sign for text
        text = text[1:]
    for _round in range(4):
        before = text
        if found := NEGATIVE_BRACKETS.fullmatch(text):
            sign, text = "-", found[1].strip()
        text = strip_currency(text)
        if len(text) > 1 and text[0] in "+-" and not sign:
            sign, text = text[0].replace("+", ""), text[1:].strip()
        if len(text) > 1 and text[-1] == "-" and not sign:
            sign, text = "-", text[:-1].strip()
        if text == before:
            break
    return sign, text


def strip_currency(text: str) -> str:
    """The text without the currency and per cent around a number.

    >>> [strip_currency(text) for text in ("12,50 kr", "AED 5", "ABC 5", "99 %", "R12.50", "R12")]
    ['12,50', '5', 'ABC 5', '99', '12.50', 'R12']
    """
    text = text.strip().removesuffix("%").removesuffix("٪").removeprefix("%").strip()
    if text.isdigit() or not any(letter.isdigit() for letter in text):
        return text
    if unicodedata.category(text[0]) == "Sc":
        return text[1:].strip()
    if unicodedata.category(text[-1]) == "Sc" and text[-1] != "$":  # 5 US$ has letters before the sign
        return text[:-1].strip()
    if found := CURRENCY_BEFORE.match(text) or RAND.match(text) or find_code(CODE_BEFORE.match(text)):
        return text[found.end() :].strip()
    if found := CURRENCY_BEHIND.search(text) or find_code(CODE_BEHIND.search(text)):
        return text[: found.start()].strip()
    return text


def find_code(found: re.Match[str] | None) -> re.Match[str] | None:
    """The match if its letters are the code of a currency."""
    if found is None or (found[1] not in SMALL_CODES and not found[1].isupper()):
        return None
    return found if found[1] in SMALL_CODES or found[1] in currency_codes() else None


@lru_cache(maxsize=1)
def currency_codes() -> frozenset[str]:
    """The codes of ISO 4217, former ones included."""
    from babel.core import get_global

    return frozenset(get_global("all_currencies"))


def ungroup(text: str, decimal: str) -> str:
    """The number without separators between groups of digits."""
    if text.isdigit():
        return text
    thousands = "." if decimal == "," else ","
    point = re.escape(decimal)
    for mark in (thousands, " ", "'", "’"):
        if mark in text and re.fullmatch(rf"[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+({point}\d*)?", text):
            return text.replace(mark, "")
    if decimal == "." and LAKH_START.fullmatch(text):
        return text.replace(",", "")
    return text


def parse_number(text: str, decimal: str = ".") -> float:
    """The number of a text: NaN when it is empty or not a number, ±inf when it is too large.

    >>> parse_number(" 1.5 "), parse_number("1e999"), parse_number("1_000"), parse_number("nan")
    (1.5, inf, nan, nan)
    """
    text = normalize_number(text, decimal)
    if NUMBER_PATTERN.fullmatch(text) or INFINITY_PATTERN.fullmatch(text):
        return float(text)
    return BOOLEAN_VALUES.get(text.lower(), float("nan"))


def count_decimal_proofs(texts: list[str]) -> tuple[int, int, str]:
    """How many texts prove a decimal point, how many a decimal comma, and the first that can be either.

    >>> count_decimal_proofs(["1.5", "2,25", "1,234", "7"])
    (1, 1, '1,234')
    >>> count_decimal_proofs(["97,640", "1,02,350"]), count_decimal_proofs(["12 310,500", "0,651"])
    ((1, 0, '97,640'), (0, 2, ''))
    """
    point = comma = 0
    unsure = ""
    for text in texts:
        if text.isascii() and "." not in text and "," not in text:
            continue
        _sign, bare = strip_sign(to_ascii_digits(text.strip()))
        if AMBIGUOUS_NUMBER.fullmatch(bare):
            unsure = unsure or text
        elif LAKH_GROUPS.fullmatch(bare) or DECIMAL_POINT.fullmatch(bare):
            point += 1
        elif DECIMAL_COMMA.fullmatch(bare):
            comma += 1
    return point, comma, unsure


def are_numeric(values: list[str], decimal: str = ".") -> bool:
    """Whether all filled texts are numbers, true/false or missing, and none is a code like 00123.

    >>> are_numeric(["", "1", "2.5", "NULL"]), are_numeric(["0", "a"]), are_numeric(["007"])
    (True, False, False)
    """
    return all(is_numeric(text, decimal) or not text.strip() or is_missing(text) for text in values)


def is_numeric(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number or true/false, and no code like 00123."""
    return not math.isnan(parse_number(text, decimal)) and not ZERO_PADDED.match(text)
