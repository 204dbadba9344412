"""Panels: from rows of sales to the grid of a panel, and a scope in several of them."""
