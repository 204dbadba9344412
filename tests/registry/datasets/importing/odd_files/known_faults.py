"""Rows that are not right yet, and what happens instead; a mended row must leave."""

from __future__ import annotations

KNOWN_FAULTS: dict[str, str] = {
    # dates
    "shopify-evening-orders": "is refused",
    "shopify-summer-time": "is refused",
    # lines
    "receipts-of-one": "is refused",
    "polish-receipts": "is refused",
    "japanese-receipts": "is refused",
    "turkish-receipts-workbook": "is refused",
    "hour-in-rows": "is refused",
    "time-inside-the-date": "is refused",
    "receipts-with-a-return": "is refused",
    "copied-receipts": "the sentence does not say what is wrong",
    "two-different-rows-a-day": "the sentence does not say what is wrong",
    "dutch-receipts": "is refused",
    # fill-down
    # totals
    "italian-totale": "other numbers or codes",
    "russian-itogo": "other numbers or codes",
    "japanese-gokei": "other numbers or codes",
    "korean-hapgye": "other numbers or codes",
    "turkish-toplam": "other numbers or codes",
    "polish-razem": "other numbers or codes",
    "dutch-totaal": "other numbers or codes",
    "arabic-total": "other numbers or codes",
    "range-named-otherwise": "other numbers or codes",
    "number-for-a-total": "other numbers or codes",
    "wide-total-named-otherwise": "other numbers or codes",
    "wide-itogo-workbook": "other numbers or codes",
    "store-that-adds-up": "other numbers or codes",
    "brand-called-total": "other numbers or codes",
    # money
    "superstore": "other numbers or codes",
    "polish-value": "is refused",
    "clover-revenue-workbook": "other numbers or codes",
}
