"""Encodings that a file may have: they decode all of it, and the most plausible text comes first."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from registry.datasets.importing.headers import HEADER_SEARCH_ROWS, SYNONYM_SETS, normalize_name

# in the order of how often they occur; the label is what other programs call them
ENCODING_LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "iso2022_jp": "ISO-2022-JP",
    "gb18030": "GB18030",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "cp932": "CP932",
    "cp950": "Big5",
    "big5hkscs": "Big5-HKSCS",
    "cp949": "CP949",
    "euc_jp": "EUC-JP",
    "cp1250": "Windows-1250",
    "cp1254": "Windows-1254",
    "cp1253": "Windows-1253",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "cp1258": "Windows-1258",
    "cp874": "CP874",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "cp866": "CP866",
    "cp850": "CP850",
    "cp852": "CP852",
    "cp437": "CP437",
    "cp857": "CP857",
    "mac_roman": "Mac Roman",
    "mac_cyrillic": "Mac Cyrillic",
    "iso8859-2": "ISO-8859-2",
    "iso8859-5": "ISO-8859-5",
    "iso8859-7": "ISO-8859-7",
    "iso8859-15": "ISO-8859-15",
}
UNASKED = {"utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso2022_jp"}
WIDE = {  # letters of several bytes, and the older set that holds the common ones
    "gb18030": "gb2312",
    "cp932": "shift_jis",
    "cp950": "big5",
    "big5hkscs": "big5",
    "cp949": "euc_kr",
    "euc_jp": "euc_jp",
}
CURRENCIES = frozenset("€£¥\u00a0")  # alone they stand around numbers, and only Windows-1252 puts them there
LETTERS = {"Lu", "Ll", "Lo", "Mn", "Sc", "Zs", "Pd", "Pi", "Pf"}  # and what people put between them
SIGNS = frozenset("№°®™©§…•±×½¼¾µ²³ºª·")
MIN_CANDIDATES, MAX_CANDIDATES = 4, 8
MAX_SCORED, SAMPLE_LENGTH = 8000, 40  # letters
SAMPLE_WORDS, MAX_PLACES = 3, 2000  # of a sample, and words of the file among which they are chosen
MAX_DISTANCE = 0.6  # a candidate so much less plausible than the best one is hardly proposed
MAX_ACCENTS = 0.6  # of the letters of a Latin word
WORD = re.compile(rb"[^\s,;|\t\"]+(?: [^\s,;|\t\"]+){0,3}")  # up to four words in a row


@dataclass(frozen=True)
class EncodingCandidate:
    """An encoding, what other programs call it, and a text of the file in it."""

    name: str
    label: str
    sample: str


def propose_encodings(path: Path, sample: bytes, head: bytes) -> tuple[EncodingCandidate, ...]:
    """The encodings that decode the file, best first; only one if the column names prove it.

    Of encodings in which the foreign letters of the sample are the same only the first is proposed.
    """
    content = b"\n".join(dict.fromkeys(line for line in sample.split(b"\n") if not line.isascii()))
    if (text := decode(content, "cp1252")) and CURRENCIES.issuperset(re.sub(r"[\x00-\x7f]", "", text)):
        return (describe("cp1252", choose_words(content, ["cp1252"])["cp1252"]),)
    found: dict[str, tuple[float, str]] = {}
    for name in ENCODING_LABELS:
        text = decode(content, name)
        if name not in UNASKED and text is not None and text not in {old for _score, old in found.values()}:
            found[name] = (score_text(text[:MAX_SCORED], name), text)
    best = min((score for score, _text in found.values()), default=0.0)
    plausible = (name for name in sorted(found, key=lambda name: found[name][0]) if is_decodable(path, name))
    order = list(islice(plausible, MAX_CANDIDATES))  # a large file takes a second for each
    near = sum(found[name][0] <= best + MAX_DISTANCE for name in order)
    order = order[: max(near, MIN_CANDIDATES)]
    proved = [name for name in order if name in WIDE and has_known_name(head, name)]
    if len(proved) == 1:
        order = proved
    samples = choose_words(content, order)
    return tuple(describe(name, samples[name]) for name in order)


def describe(name: str, words: list[str]) -> EncodingCandidate:
    """The candidate with these words as its sample."""
    sample = " · ".join(dict.fromkeys(words))
    return EncodingCandidate(name, ENCODING_LABELS[name], sample[:SAMPLE_LENGTH])


def choose_words(content: bytes, names: list[str]) -> dict[str, list[str]]:
    """Some words with foreign letters, as each encoding reads them: {encoding: words}.

    The first of the file, then those that tell most encodings apart: many letters are the same in several.

    >>> choose_words("Dátum;Üzlet;Szín;Győr".encode("cp1250"), ["cp1250", "cp1252"])
    {'cp1250': ['Dátum', 'Győr', 'Üzlet'], 'cp1252': ['Dátum', 'Gyõr', 'Üzlet']}
    """
    found = dict.fromkeys(word for word in WORD.findall(content) if not word.isascii())
    left = [tuple(word.decode(name, "replace") for name in names) for word in islice(found, MAX_PLACES)]
    chosen = left[:1]
    while (left := [word for word in left if word not in chosen]) and len(chosen) < SAMPLE_WORDS:
        chosen.append(max(left, key=lambda word: len(set(zip(*chosen, word, strict=True)))))
    return {name: [word[place] for word in chosen] for place, name in enumerate(names)}


def decode(content: bytes, name: str) -> str | None:
    """The text, or None when it is not of the encoding."""
    try:
        return content.decode(name)
    except UnicodeDecodeError:
        return None


def is_decodable(path: Path, name: str) -> bool:
    """Whether the whole file is text of the encoding."""
    decoder = codecs.getincrementaldecoder(name)()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def score_text(text: str, name: str) -> float:
    """The share of odd foreign letters: 0 for text as people write it, 1 and more for rubbish.

    >>> score_text("Аптека", "cp1251") < score_text("аПТЕКА", "koi8-r") < score_text("Ý\\x90Ó³", "cp1252")
    True
    """
    foreign = [letter for letter in text if not letter.isascii()]
    if not foreign:
        return 1.0
    odd = 0.0
    if name in WIDE:
        odd = sum(not is_common(letter, WIDE[name]) for letter in foreign)
    else:
        odd = sum(unicodedata.category(letter) not in LETTERS and letter not in SIGNS for letter in foreign)
        odd += sum(is_odd_word(word) for word in re.findall(r"[^\W\d_]+", text))
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in foreign if letter.isalpha()}
    return odd / len(foreign) + 0.1 * max(0, len(scripts) - 2)


def is_odd_word(word: str) -> bool:
    """Whether capitals stand behind small letters, two scripts side by side, or nearly only accents.

    >>> [is_odd_word(word) for word in ("Müsli", "éÂÕÐÒÏÆÅÎ", "Аптека", "ФТM", "Àïòåêà")]
    [False, True, False, True, True]
    """
    if word.isascii():
        return False
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in word}
    mixed = any(a.islower() and b.isupper() for a, b in pairwise(word))
    accents = sum(not letter.isascii() for letter in word) if scripts == {"LATIN"} and len(word) > 2 else 0
    return mixed or len(scripts) > 1 or accents > MAX_ACCENTS * len(word)


def is_common(letter: str, encoding: str) -> bool:
    """Whether a letter is in the older, smaller set of the encoding's common characters."""
    try:
        return bool(letter.encode(encoding)) and unicodedata.category(letter)[0] != "C"
    except UnicodeEncodeError:
        return False


def has_known_name(head: bytes, name: str) -> bool:
    """Whether a column name with foreign letters is known in the encoding."""
    lines = head.decode(name, errors="ignore").split("\n", HEADER_SEARCH_ROWS)[:HEADER_SEARCH_ROWS]
    cells = re.split(r"[,;|\t，；\r\n\"]", "\n".join(lines))
    names = {normalize_name(cell) for cell in cells if not cell.isascii()}
    return any(names & words for words in SYNONYM_SETS.values())
