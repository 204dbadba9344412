"""Column names in the files of tills and ERPs, and the row that holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.dates import NO_DAY, parse_day

HEADER_SEARCH_ROWS = 30  # the header is not searched further down
# most reliable names first; case, spaces and punctuation are ignored
COLUMN_SYNONYMS: dict[str, str] = {
    "date": "date 日期 销售日期 交易日期 营业日期 单据日期 saledate salesdate orderdate "
    "transactiondate businessdate invoicedate day datum verkaufsdatum tag jour fecha ds 时间 销售时间 "
    "timestamp datetime createdat data дата datum dato dátum tarih päivämäärä päivä 日付 "
    "売上日 販売日 날짜 일자 "
    "판매일 วันที่ ngày tanggal التاريخ ημερομηνία",
    "store_id": "storeid store storecode storeno storenumber storenbr shopid shop "
    "门店编码 门店编号 门店代码 门店id 店铺编码 店铺编号 店铺id 门店 店铺 分店 药店 "
    "branch branchid outlet pharmacy filiale filialnr markt apotheke magasin boutique "
    "officine pharmacie "
    "location site 门店名称 店铺名称 药店名称 storename shopname "
    "sklep apteka магазин торговаяточка аптека tienda sucursal farmacia negozio "
    "puntovendita loja filial winkel "
    "filiaal apotheek mağaza magaza şube eczane 店舗 店舗名 店名 매장 매장명 지점 butik "
    "kauppa toimipaikka prodejna "
    "lékárna üzlet bolt κατάστημα สาขา ร้าน toko cabang cửahàng المتجر الفرع",
    "product_id": "productid product productcode sku skuid itemid item itemcode itemno itemnbr "
    "商品编码 商品编号 商品代码 商品id 药品编码 药品编号 药品代码 产品编码 产品编号 货号 条码 "
    "商品 药品 产品 品种 article articleid artikel artikelnr artikelnummer produkt produit référence "
    "productcode customsku lineitemsku drug medicine medication stockcode ean upc pzn barcode "
    "药品名称 商品名称 产品名称 品名 productname itemname skuname désignation libellé bezeichnung "
    "towar товар номенклатура артикул наименование produkty producto artículo prodotto "
    "articolo produto artigo "
    "urun ürün ürünadı malzeme 商品コード 商品番号 商品名 品番 상품코드 상품 상품명 품목 "
    "vara vare tuote zboží výrobek "
    "termék cikk προϊόν είδος สินค้า barang sảnphẩm mặthàng المنتج الصنف",
    "sales": "sales sale qty quantity units unitssold unitsold salesqty salesquantity quantitysold "
    "qtysold "
    "soldqty 销量 销售数量 销售量 数量 售出数量 sold menge verkaufsmenge absatz stück stk anzahl quantité "
    "quantite qté qte ventes demand volume umsatz "
    "itemssold netqty netquantity qtyordered lineitemquantity ilość sztuki sprzedanailość "
    "количество колво продано "
    "cantidad unidades unidadesvendidas quantità qta qtà pezzi quantidade qtd qtde aantal "
    "stuks adet miktar satışadedi "
    "数量個 個数 点数 販売数 販売数量 売上数 売上数量 販売点数 수량 판매량 판매수량 antal "
    "määrä kpl množství počet ks "
    "mennyiség darab ποσότητα จำนวน jumlah sốlượng الكمية",
    "price": "price unitprice saleprice salesprice 价格 单价 售价 零售价 销售单价 preis einzelpreis "
    "vkpreis verkaufspreis prix prixunitaire "
    "precio preciounitario prezzo preço cena цена fiyat 価格 単価 売単価 가격 단가 prijs "
    "pris hinta ár τιμή ราคา harga giá السعر",
    "promo": "promo promotion promoflag onpromotion onpromo ispromo 促销 是否促销 促销标志 活动 aktion",
    "open": "open isopen storeopen 营业 是否营业",
}
SYNONYM_SETS = {ours: set(words.split()) for ours, words in COLUMN_SYNONYMS.items()}
# columns of money that are called sales; units stand in another column where there is one
MONEY_WORDS = """
sales sale salesamount netsales grosssales totalsales salestotal salesvalue revenue turnover amount
umsatz nettoumsatz bruttoumsatz verkaufswert ventes chiffredaffaires ca cattc caht montant 销售额 销售金额
金额 ventas importe facturado vendite fatturato incasso vendas faturamento valor omzet ciro
satıştutarı tutar выручка сумма продажи wartośćsprzedaży sprzedaż wartość obrót omsättning omsetning
myynti liikevaihto tržba tržby forgalom 売上 売上高 売上金額 매출 매출액 판매금액
ยอดขาย penjualan doanhthu المبيعات
"""
MONEY_NAMES = set(MONEY_WORDS.split())
UNIT_NAMES = SYNONYM_SETS["sales"] - MONEY_NAMES


def normalize_name(name: str) -> str:
    """Letters and digits only, in lower case.

    >>> normalize_name(" Store_ID "), normalize_name("销售 日期")
    ('storeid', '销售日期')
    """
    return re.sub(r"[\W_]+", "", name).casefold()


def count_known_columns(row: Sequence[str]) -> int:
    """How many of date, store, product and sales a row names; columns of days count as two of them.

    >>> count_known_columns(["Datum", "Filiale", "Artikel", "Menge"])
    4
    >>> count_known_columns(["Artikel", "1.1.26", "2.1.26", "3.1.26"])
    3
    """
    words = {normalize_name(cell) for cell in row}
    days = sum(parse_day(cell, "dmy") != NO_DAY or parse_day(cell, "mdy") != NO_DAY for cell in row)
    return sum(bool(words & SYNONYM_SETS[ours]) for ours in CORE_COLUMNS) + (2 if days >= 3 else 0)


def find_header_row(rows: Sequence[Sequence[str]]) -> int:
    """The index of the header row; titles, print dates and blank rows can be above it.

    >>> find_header_row([["Sales"], [], ["Date", "Shop", "Item", "Qty"], ["2026-01-01", "A", "B", "1"]])
    2
    >>> find_header_row([["Report", "", ""], ["a", "b", "c"], ["1", "2", "3"]])
    1
    """
    places = range(min(len(rows), HEADER_SEARCH_ROWS))
    named = [count_known_columns(rows[place]) for place in places]
    if max(named, default=0) >= 2:
        return named.index(max(named))
    filled = [sum(bool(cell.strip()) for cell in rows[place]) for place in places]
    return next((place for place in places if filled[place] and 2 * filled[place] > max(filled)), 0)
