"""Files as real tills and ERPs of four countries write them, with all that stands around the figures.

Every till tells the same eighty days of two stores and two products: every file must give the same sums.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from io import BytesIO

DAYS, STORES, PRODUCTS = 80, ("010", "020"), ("A-1", "B-2")
START = dt.date(2026, 1, 1)
ROWS = DAYS * len(STORES) * len(PRODUCTS)
MONTHS = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]


def sold(day: int, store: int, product: int) -> int:
    """Units: some above a thousand, so that separators of thousands appear."""
    return 3 + (day * 7 + store + 2 * product) % 5 + (1200 if day == 40 and not store and not product else 0)


TOTAL = sum(sold(d, s, p) for d in range(DAYS) for s in range(2) for p in range(2))


def facts() -> Iterator[tuple[dt.date, str, str, int]]:
    """In order of day."""
    for day in range(DAYS):
        for store, shop in enumerate(STORES):
            for product, item in enumerate(PRODUCTS):
                yield START + dt.timedelta(days=day), shop, item, sold(day, store, product)


def german(mark: str = ".") -> str:
    """An ERP: title, date of print, blank line, decimal commas, points for thousands, Euro, totals."""
    lines = ["Absatzstatistik Apotheken Nord;;;;", "Stand: 23.11.2026 08:15;;;;", ";;;;"]
    lines += ["Datum;Filiale;Artikel-Nr.;Menge;VK-Preis"]
    for day, store, item, units in facts():
        amount = f"{units:,}".replace(",", ".")
        lines.append(f"{day:%d}{mark}{day:%m}{mark}{day:%Y};{store};{item};{amount},0;12,95 €")
    lines += [";;;;", f"Gesamtsumme;;;{TOTAL},0;", ";;;;", ";;;;"]
    return "\r\n".join(lines) + "\r\n"


def french() -> str:
    """Month names, narrow spaces for thousands, quoted line breaks, a total per day between the rows."""
    lines = ['Jour;Magasin;Produit;"Quantité"\n']
    for day, store, item, units in facts():
        label = f'"{day.day} {MONTHS[day.month - 1]} {day.year}"'
        lines.append(f"{label};{store};{item};{units:,}\n".replace(",", "\u202f"))
        if (store, item) == (STORES[-1], PRODUCTS[-1]):
            lines.append(f'{label};"Total";"Total";99\n')
    return "".join(lines)


def american() -> str:
    """Quoted thousands, dollars, month first, a column without a name and an empty one."""
    lines = ["sep=,", "Sale Date,Store #,Item,Qty Sold,Unit Price,Notes,"]
    for day, store, item, units in facts():
        lines.append(f'{day.month}/{day.day}/{day.year},{store},{item},"{units:,}","$1,012.50",,')
    return "\n".join(lines) + "\n\n\n"


def chinese() -> str:
    """Tabs, year-month-day in characters, yen signs, a total that ends in a colon."""
    lines = ["销售日报表\t\t\t\t", "销售日期\t门店编码\t商品编码\t销售数量\t单价"]
    for day, store, item, units in facts():
        lines.append(f"{day.year}年{day.month}月{day.day}日\t{store}\t{item}\t{units}\t¥12.50")
    return "\r\n".join([*lines, f"合计：\t\t\t{TOTAL}\t"])


def book(write: Callable[..., None]) -> bytes:
    from openpyxl import Workbook

    made = Workbook()
    write(made)
    sink = BytesIO()
    made.save(sink)
    return sink.getvalue()


def joined_cells(made) -> None:
    """A cover sheet first; then a title, and days and stores in joined cells; a total below."""
    made.active.title = "Info"
    made.active.append(["Report made by ERP 7.1"])
    sheet = made.create_sheet("Sales")
    sheet.append(["Sales by day and store"])
    sheet.merge_cells("A1:D1")
    sheet.append([])
    sheet.append(["Date", "Store", "Product", "Units"])
    seen: tuple[object, object] = (None, None)
    for day, store, item, units in facts():
        new = (day, store)
        sheet.append([day if day != seen[0] else None, store if new != seen else None, item, units])
        seen = new
    sheet.append(["Grand total", None, None, TOTAL])


def wide_days(made) -> None:
    """A column for each day below a title, with a column of sums that has no name."""
    sheet = made.active
    sheet.append(["Umsatz 2026"])
    days = [START + dt.timedelta(days=day) for day in range(DAYS)]
    sheet.append(["Filiale", "Artikel", *[f"{day:%d.%m.%Y}" for day in days]])
    for store, shop in enumerate(STORES):
        for product, item in enumerate(PRODUCTS):
            sheet.append([shop, item, *[sold(day, store, product) for day in range(DAYS)]])


def files() -> dict[str, tuple[bytes, set[str]]]:
    """{name: (content, findings that it must give)}."""
    title = {"rows-above"}
    return {
        "german.csv": (german().encode("cp1252"), {*title, "total-row"}),
        "german-utf8.csv": (b"\xef\xbb\xbf" + german("-").encode(), {*title, "total-row"}),
        "french.csv": (french().encode("utf-16"), {"total-row"}),
        "american.csv": (american().encode(), {*title, "column-empty", "column-without-name"}),
        "chinese.txt": (chinese().encode("gb18030"), {*title, "total-row"}),
        "joined-cells.xlsx": (book(joined_cells), {*title, "filled-down", "other-sheets", "total-row"}),
        "wide.xlsx": (book(wide_days), title),
    }
