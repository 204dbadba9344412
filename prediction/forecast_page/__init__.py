"""The page of a forecast: how it is asked for, and how it is answered."""
