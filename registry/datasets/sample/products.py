"""Products of the sample: categories with their seasons, and fifty products."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A category with its season.

    `peak` in months after 1 January, `swing` its strength, `flu` the effect of flu waves, `leisure` (0 to 1)
    the share bought for leisure, mostly at the weekend.
    """

    name: str
    peak: float
    swing: float
    flu: float
    leisure: float


@dataclass(frozen=True)
class Product:
    """A product: `level` in units a day in an average store, `price` in euros."""

    name: str
    category: int
    level: float
    price: float

    def variant_name(self, variant: int) -> str:
        """The name, with a pack number for the repeated products of a large chain.

        >>> PRODUCTS[0].variant_name(0), PRODUCTS[0].variant_name(2)
        ('Paracetamol 500 mg', 'Paracetamol 500 mg, pack 3')
        """
        return f"{self.name}, pack {variant + 1}" if variant else self.name


CATEGORIES = [
    Category("Pain relief", 0.5, 0.08, 0.25, 0.0),
    Category("Cold & flu", 0.8, 0.75, 1.0, 0.0),
    Category("Allergy", 4.6, 1.1, 0.0, 0.1),
    Category("Sun care", 6.6, 1.6, 0.0, 0.6),
    Category("Digestion", 11.8, 0.12, 0.0, 0.1),
    Category("Vitamins", 0.3, 0.3, 0.15, 0.3),
    Category("Skin care", 0.0, 0.15, 0.0, 0.8),
    Category("Baby & family", 0.0, 0.02, 0.05, 0.5),
    Category("First aid", 6.3, 0.25, 0.0, 0.3),
    Category("Dental", 0.0, 0.03, 0.0, 0.5),
    Category("Eyes & ears", 4.9, 0.3, 0.1, 0.1),
    Category("Chronic care", 0.0, 0.02, 0.0, 0.0),
]

PRODUCTS = [
    Product("Paracetamol 500 mg", 0, 24, 3.95),
    Product("Ibuprofen 400 mg", 0, 21, 5.95),
    Product("Aspirin 500 mg", 0, 11, 6.45),
    Product("Diclofenac gel 1%", 0, 8, 9.95),
    Product("Heat plaster", 0, 3.2, 7.95),
    Product("Migraine tablets", 0, 1.1, 11.95),
    Product("Nasal spray 0.1%", 1, 19, 4.45),
    Product("Cough syrup thyme", 1, 9, 8.95),
    Product("Sore throat lozenges", 1, 14, 6.95),
    Product("Hot lemon sachets", 1, 7, 9.45),
    Product("Cold balm", 1, 3.4, 7.45),
    Product("Sinus capsules", 1, 4.6, 12.95),
    Product("Fever thermometer", 1, 0.3, 14.95),
    Product("Paper tissues", 1, 22, 1.95),
    Product("Cetirizine 10 mg", 2, 9, 5.45),
    Product("Loratadine 10 mg", 2, 5.2, 5.95),
    Product("Hay fever nasal spray", 2, 3.8, 13.95),
    Product("Antihistamine eye drops", 2, 2.4, 11.45),
    Product("Sun lotion SPF 30", 3, 5, 12.95),
    Product("Sun lotion SPF 50 kids", 3, 3.4, 15.95),
    Product("After sun gel", 3, 2.1, 8.95),
    Product("Insect repellent", 3, 3.6, 9.95),
    Product("Antacid tablets", 4, 7.2, 7.95),
    Product("Loperamide 2 mg", 4, 4.1, 5.45),
    Product("Probiotic capsules", 4, 2.6, 19.95),
    Product("Laxative drops", 4, 2.2, 8.45),
    Product("Activated charcoal", 4, 0.2, 6.95),
    Product("Vitamin C 1000 mg", 5, 9.5, 7.95),
    Product("Vitamin D3 drops", 5, 7.4, 9.95),
    Product("Magnesium sachets", 5, 10.5, 11.95),
    Product("Multivitamin tablets", 5, 4.2, 12.95),
    Product("Iron capsules", 5, 1.3, 13.95),
    Product("Zinc tablets", 5, 2.7, 6.95),
    Product("Hand cream", 6, 8, 4.95),
    Product("Face cream sensitive", 6, 3.1, 18.95),
    Product("Lip balm", 6, 9.2, 2.95),
    Product("Wound and healing cream", 6, 5.6, 5.95),
    Product("Nappy cream", 7, 3.3, 5.45),
    Product("Infant formula stage 1", 7, 4.8, 18.95),
    Product("Teething gel", 7, 0.45, 7.95),
    Product("Plasters assorted", 8, 7.8, 3.45),
    Product("Antiseptic spray", 8, 3.9, 7.95),
    Product("Elastic bandage", 8, 1.6, 4.95),
    Product("Toothpaste sensitive", 9, 9.9, 3.95),
    Product("Dental floss", 9, 4.3, 2.95),
    Product("Moistening eye drops", 10, 5.1, 10.95),
    Product("Ear spray", 10, 0.3, 9.45),
    Product("Blood glucose strips", 11, 2.9, 24.95),
    Product("Support stockings", 11, 0.25, 34.95),
    Product("Blood pressure monitor", 11, 0.15, 44.95),
]
