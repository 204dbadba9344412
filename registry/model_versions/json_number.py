"""A number inside a JSON column, for sorting in the database."""

from __future__ import annotations

from typing import Any

from django.db.models import F, FloatField, Func, Value


class JsonNumber(Func):
    """The number at a path of keys. Django's own lookup takes a key such as "80" for a place in a list."""

    def __init__(self, column: Any, *keys: str) -> None:
        self.keys = keys
        super().__init__(F(column) if isinstance(column, str) else column, output_field=FloatField())

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        """JSON_EXTRACT(metrics, '$."coverage"."80"')"""
        path = "$" + "".join(f'."{key}"' for key in self.keys)
        return self.with_texts([path]).as_sql(compiler, connection, "JSON_EXTRACT")

    def as_postgresql(self, compiler: Any, connection: Any, **options: Any) -> Any:
        """(jsonb_extract_path_text(metrics, 'coverage', '80'))::double precision"""
        template = "(%(function)s(%(expressions)s))::double precision"
        call = self.with_texts(self.keys)
        return call.as_sql(compiler, connection, "jsonb_extract_path_text", template)

    def with_texts(self, texts: Any) -> JsonNumber:
        """A copy that passes the texts to the function, after the column."""
        found = self.copy()
        found.set_source_expressions([*self.get_source_expressions(), *map(Value, texts)])
        return found
