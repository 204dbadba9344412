"""The arithmetic of orders: from sample paths of demand to a quantity. Pure numpy: no Django.

Shapes in comments: N sample paths, S series (one product in one store, a line of an order), H days ahead,
B batches of stock. Column 0 of the days ahead is the day after the stock was counted.
"""

from __future__ import annotations
