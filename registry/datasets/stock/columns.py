"""Columns of stock and terms files, under the names that ERPs give them. No models: the sandbox reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from registry.datasets.importing.headers import COLUMN_SYNONYMS, normalize_name

Kind = Literal["code", "text", "number", "day", "weekdays", "days"]


@dataclass(frozen=True)
class FileColumn:
    """A column: what its cells are, the names it goes by, and the least and largest number it may hold."""

    name: str
    kind: Kind
    words: str = ""
    is_required: bool = False
    least: float | None = 0.0
    most: float | None = None

    @property
    def names(self) -> set[str]:
        """Its names without spaces and punctuation."""
        return {normalize_name(self.name), *self.words.split()}


STORE = FileColumn("store_id", "code", COLUMN_SYNONYMS["store_id"])
PRODUCT = FileColumn("product_id", "code", COLUMN_SYNONYMS["product_id"], is_required=True)
STOCK_COLUMNS = (
    STORE,
    PRODUCT,
    FileColumn("as_of", "day", "asof date day stockdate countdate snapshotdate 日期 库存日期 盘点日期 datum"),
    FileColumn(
        "on_hand",
        "number",
        "onhand stock qty quantity stockonhand inventory qtyonhand 库存 库存数量 现有库存 数量 bestand",
        is_required=True,
        least=None,
    ),
    FileColumn("on_order", "number", "onorder ordered intransit openorder 在途 在途数量 已订 bestellt"),
    FileColumn("due_date", "day", "duedate due eta arrival arrivaldate expected 到货日期 预计到货"),
    FileColumn("batch", "text", "batchno batchnumber lot lotno lotnumber 批号 批次 charge"),
    FileColumn("expiry", "day", "expirydate expires expirationdate bestbefore 有效期 失效日期 有效期至 mhd"),
)
TERMS_COLUMNS = (
    FileColumn("product_id", "code", COLUMN_SYNONYMS["product_id"]),
    FileColumn("category", "text", "productcategory group productgroup 类别 分类 品类 warengruppe"),
    FileColumn("supplier", "text", "vendor supplierid suppliername 供应商 供应商名称 lieferant"),
    FileColumn("lead_days", "number", "leadtime leaddays leadtimedays 提前期 到货天数 lieferzeit", most=365),
    FileColumn(
        "review_days", "number", "review reviewtime reviewperiod ordercycle 订货周期", least=1, most=365
    ),
    FileColumn("weekdays", "weekdays", "orderdays orderweekdays 订货日 bestelltage"),
    FileColumn("shut_days", "days", "closed closeddays holidays 休息日"),
    FileColumn("pack", "number", "packsize unitsperpack casesize 包装 包装数量 件装量 ve", least=0.001),
    FileColumn("min_order", "number", "moq minimumorder minorder 最小订货量 起订量 mindestmenge"),
    FileColumn("shelf_min", "number", "minshelf minstock presentation 最小陈列 最低库存"),
    FileColumn("shelf_max", "number", "maxshelf maxstock shelfcapacity 最大陈列 最高库存"),
    FileColumn("shelf_life", "number", "shelflife shelflifedays 保质期 保质天数 haltbarkeit", least=1),
    FileColumn("unit_cost", "number", "cost purchaseprice unitcost costprice 进价 成本 einkaufspreis"),
    FileColumn("price", "number", "saleprice sellingprice retailprice unitprice 售价 零售价 verkaufspreis"),
    FileColumn("holding_cost", "number", "holding holdingcost holdingcostperday 持有成本"),
    FileColumn("waste_cost", "number", "waste wastecost disposalcost 报废成本"),
    FileColumn("service_level", "number", "service servicelevel 服务水平 servicegrad", least=0.5, most=0.999),
)
TERMS_VALUES = tuple(column.name for column in TERMS_COLUMNS[3:])
