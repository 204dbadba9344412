"""Codes of stores and products as people mean them: plain spaces, no invisible characters, no “.0”."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"  # they shape letters of Persian and India, and emoji of several
WHOLE_FLOAT = re.compile(r"(-?\d+)[.,]0{1,2}", re.ASCII)
FORMULA_TEXT = re.compile(r'="([^"]*)"')  # keeps Excel from reading a number
TEXT_SIGN = re.compile(r"'(?=\d)")
SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?[eE](\+?)(\d{1,2})", re.ASCII)
MIN_EXPONENT = 5  # without a plus sign, 1.25E3 is rather a model


def tidy_codes(texts: list[str], is_used: list[bool]) -> list[str]:
    """The codes of a column, tidied; where all used ones are whole numbers with “.0”, without it.

    >>> tidy_codes(["101.0", "102.0", ""], [True] * 3), tidy_codes(["101.0", "101.5"], [True] * 2)
    (['101', '102', ''], ['101.0', '101.5'])
    """
    tidied = [tidy_code(text) for text in texts]
    filled = [text.strip() for text, used in zip(tidied, is_used, strict=True) if used and text.strip()]
    if filled and all(WHOLE_FLOAT.fullmatch(text) for text in filled):
        return [WHOLE_FLOAT.sub(r"\1", text.strip()) for text in tidied]
    return tidied


def tidy_code(text: str) -> str:
    """A code with plain spaces, composed letters and no characters that nobody sees.

    >>> tidy_code("Doliprane\\u00a01000"), tidy_code("AB\\u200b-12"), tidy_code('="0012"'), tidy_code("'0012")
    ('Doliprane 1000', 'AB-12', '0012', '0012')
    >>> tidy_code("4.006381333931E+12")
    '4006381333931'
    """
    if not text.isascii():
        text = "".join(map(tidy_letter, " " + text, text, text[1:] + " "))
        text = unicodedata.normalize("NFC", text)
    if found := FORMULA_TEXT.fullmatch(text.strip()):
        text = found[1]
    text = TEXT_SIGN.sub("", text) if text.startswith("'") else text
    return expand_scientific(text)


def tidy_letter(before: str, letter: str, after: str) -> str:
    """A letter of a code; a joiner only counts between letters that it shapes."""
    kind = unicodedata.category(letter)
    if kind == "Zs":
        return " "
    if kind != "Cf" or (letter in JOINERS and not before.isascii() and not after.isascii()):
        return letter
    return ""


def expand_scientific(text: str) -> str:
    """A number with all its digits, written out; other texts unchanged."""
    found = SCIENTIFIC.fullmatch(text.strip())
    if found and found[3] and found[2] and len(found[2]) == int(found[4]) >= MIN_EXPONENT:
        return found[1] + found[2]
    return text


def is_shortened(text: str) -> bool:
    """Whether a code is a number whose last digits a spreadsheet cut off.

    >>> [is_shortened(text) for text in ("6.92154E+12", "5,9E+12", "7E+12", "3E8", "12E4", "1.5E3")]
    [True, True, True, False, False, False]
    """
    found = SCIENTIFIC.fullmatch(text.strip())
    if not found:
        return False
    decimals, exponent = found[2] or "", int(found[4])
    if not found[3] and (not decimals or exponent < MIN_EXPONENT):
        return False
    return exponent > len(decimals)


def is_visible(text: str) -> bool:
    """Whether every character of a code can be seen or shapes its neighbours."""
    return text.isprintable() or "".join(letter for letter in text if letter not in JOINERS).isprintable()


def fold_code(text: str) -> str:
    """What two spellings of one code share."""
    folded = text.casefold()
    return folded if folded.isascii() else "".join(letter for letter in folded if letter not in JOINERS)
