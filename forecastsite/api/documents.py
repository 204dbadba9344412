"""The description of the API (OpenAPI 3.1), and what of a change would break programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ninja import NinjaAPI

from forecastsite.api.access import BearerKey
from forecastsite.api.model_schemas import RowsOut
from forecastsite.api.schemas import ProblemOut
from registry.lib.refusals import CONTENT_TYPE

Document = dict[str, Any]
PREFIX = "/api/v1/"
REFUSALS = (400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 429, 503)
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE_TYPES = (
    "text/csv",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "application/octet-stream",
)
ROW_TYPES = ("text/csv", "application/vnd.apache.parquet")
TOKEN = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"},
    "description": "The same token within 24 hours gets the first answer again, and nothing is done twice.",
}
FORMAT = {
    "in": "query",
    "name": "format",
    "required": False,
    "schema": {"type": "string", "enum": ["json", "csv", "parquet"]},
    "description": "Instead of Accept.",
}


def file_body() -> dict[str, Any]:
    """Options of a route whose body is a file."""
    body = {"required": True, "content": dict.fromkeys(FILE_TYPES, BINARY)}
    return {"openapi_extra": {"requestBody": body}}


def describe_api(api: NinjaAPI) -> Document:
    """The whole description."""
    document: Document = dict(api.get_openapi_schema(path_prefix=PREFIX))
    scopes = {
        operation.operation_id or api.get_openapi_operation_id(operation): operation.auth_callbacks
        for bound in api._get_bound_routers()
        for view in bound.path_operations.values()
        for operation in view.operations
    }
    components = document["components"]
    components["responses"] = {"Problem": problem_answer()}
    for schema in (ProblemOut, RowsOut):
        components["schemas"][schema.__name__] = schema.model_json_schema()
    for path, method, operation in iter_operations(document):
        describe_operation(path, method, operation)
        keys = [key for key in scopes[operation["operationId"]] if isinstance(key, BearerKey)]
        operation["x-scope"] = keys[0].scope if keys else ""
    return document


def problem_answer() -> Document:
    """The answer to every request that is refused."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    wait = {"description": "Seconds to wait (429, 503).", "schema": {"type": "integer"}}
    return {"description": "Refused", "content": content, "headers": {"Retry-After": wait}}


def describe_operation(path: str, method: str, operation: Document) -> None:
    """Adds what all operations have in common, and files where tables are read."""
    answers = operation["responses"]
    for status in list(answers):
        answers[str(status)] = answers.pop(status)
    for status in REFUSALS:
        answers[str(status)] = {"$ref": "#/components/responses/Problem"}
    if method == "post":
        operation["parameters"].append(TOKEN)
    if method == "get" and path.endswith(("/rows", "/sales", "/items", "/accuracy", "/terms", "/lines")):
        content = answers["200"].setdefault("content", {})
        content |= dict.fromkeys(ROW_TYPES, BINARY)
        if path.endswith("/rows"):
            content["application/json"] = {"schema": {"$ref": "#/components/schemas/RowsOut"}}
        kinds = ["csv", "parquet"] if path.endswith("/sales") else FORMAT["schema"]["enum"]  # type: ignore[index]
        operation["parameters"].append(FORMAT | {"schema": {"type": "string", "enum": kinds}})
    if "202" in answers:
        where = {"description": "Address of the job.", "schema": {"type": "string"}}
        answers["202"]["headers"] = {"Location": where}


def iter_operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Path, method and description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
