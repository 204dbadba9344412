"""Texts in other encodings than UTF-8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    SPAN,
    OddFile,
    iso,
    named,
    row,
    rows,
    table,
    totals,
)


def encoded(name: str, origin: str, encoding: str, names: Sequence[str], store: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {
        "case": 0, "like": 7, "suffix": ".csv", "right": "ask", "also": ("read",),
        "odd": f"written in {encoding}",
        "why": "guesses differ: ask with samples, or read it rightly and say so; never in silence",
        "make": lambda: table(rows(iso(), names, store=store), encoding=encoding),
    }  # fmt: skip
    return row(
        more,
        name=name, kind="encodings", origin=origin, about="encoding", answers={encoding: totals(names)},
        totals=totals(names), codes=tuple(names), stores=(store,), days=10, span=SPAN, **fields,
    )  # fmt: skip


GREEK = ("Ελιές", "Φέτα", "Τυρί")
ENCODINGS = (
    encoded("cyrillic-cp1251", "1C", "cp1251", ("Ибупрофен 200 мг", "Йод раствор"), "Аптека 3", case=7),
    encoded("cyrillic-koi8", "Russian Unix", "koi8-r", ("Ибупрофен 200 мг", "Йод раствор"), "Аптека 3"),
    encoded("cyrillic-dos", "1C 7.7", "cp866", ("Ибупрофен 200 мг", "Йод раствор"), "Аптека 3"),
    encoded("japanese-shift-jis", "Japanese POS", "cp932", ("おにぎり 鮭", "緑茶 500ml"), "新宿店"),
    encoded("japanese-half-width", "Japanese POS", "cp932", ("ｵﾆｷﾞﾘ", "ﾘｮｸﾁｬ"), "ｼﾝｼﾞｭｸ"),
    encoded("korean-cp949", "Korean", "cp949", ("김밥", "녹차"), "강남점"),
    encoded("taiwanese-big5", "Taiwan POS", "big5", ("珍珠奶茶", "綠茶"), "台北店"),
    encoded(
        "chinese-gb18030", "Chinese ERP", "gb18030", ("矿泉水", "方便面"), "朝阳店",
        make=lambda: table(
            rows(iso(), ("矿泉水", "方便面"), ("日期", "门店", "商品", "销量"), "朝阳店"), encoding="gb18030"
        ),
    ),
    encoded("polish-cp1250", "Polish", "cp1250", ("Świeży żurek", "Łosoś"), "Łódź"),
    encoded("turkish-cp1254", "Turkish", "cp1254", ("Ayran şişe", "Simit ığdır"), "Beyoğlu"),
    encoded("greek-cp1253", "Greek", "cp1253", GREEK, "Αθήνα"),
    encoded("arabic-cp1256", "Arabic", "cp1256", ("شاي", "قهوة"), "دبي"),
    encoded("thai-cp874", "Thai", "cp874", ("ชาเย็น", "ข้าวผัด"), "กรุงเทพ"),
    encoded("german-windows", "German till", "cp1252", ("Müsli", "Käsebrötchen"), "Köln"),
    encoded("german-dos", "DATEV", "cp850", ("Müsli", "Käsebrötchen"), "Köln"),
    encoded("french-mac", "Mac", "mac_roman", ("Café", "Thé glacé"), "Orléans"),
    encoded(
        "utf-16-with-mark", "Excel “Unicode text”", "utf-16", ("Чай", "Кофе"), "Москва", right="read",
        also=(),
        suffix=".txt", make=lambda: table(rows(iso(), ("Чай", "Кофе"), store="Москва"), "\t", "utf-16"),
        odd="UTF-16 with its mark, tabs", why="the mark says what it is: no question",
    ),
    encoded(
        "utf-16-without-mark", "SAP", "utf-16-le", ("Чай", "Кофе"), "Москва", right="read", also=("ask",),
        why="every second byte is 0 in the digits: nothing else fits",
    ),
    encoded(
        "cyrillic-header-cp1251", "1C", "cp1251", ("Ибупрофен", "Йод"), "Аптека 3",
        make=lambda: table(rows(iso(), ("Ибупрофен", "Йод"), ("Дата", "Склад", "Номенклатура", "Количество"),
            "Аптека 3"),
                           ";", "cp1251"),
        odd="columns named in cp1251 too", options=named(("Дата", "Склад", "Номенклатура", "Количество")),
    ),
    encoded(
        "one-foreign-line", "Two systems", "cp1252", ("Müsli", "Käse"), "Köln",
        make=lambda: table(rows(iso(9), ("Müsli", "Käse"), store="Köln"))
        + table(rows(iso()[-1:], ("Müsli", "Käse"), store="Köln")[1:], encoding="cp1252"),
        right="ask", also=("refuse",), odd="UTF-8, but the last two lines are cp1252",
        says=("encoding|UTF-8",),
        answers={}, totals={},
        why="two systems wrote one file; read as either, the other's letters are wrong",
    ),
)  # fmt: skip
