"""What of a change of the API would break a program that was written for the description before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
TYPE_KEYS = ("type", "format", "enum", "anyOf", "items", "$ref")


def find_breaks(old: Document, new: Document) -> list[str]:
    """A line for each address, method, field or answer that is gone or changed, or that is required now."""
    found = [*iter_path_breaks(old["paths"], new["paths"])]
    before, after = old["components"]["schemas"], new["components"]["schemas"]
    for name in sorted(before):
        if name in after:
            found += iter_schema_breaks(name, before[name], after[name])
        else:
            found.append(f"{name}: is gone")
    return found


def iter_path_breaks(old: Document, new: Document) -> Iterator[str]:
    """Of addresses and their methods."""
    for path in sorted(old):
        if path not in new:
            yield f"{path}: is gone"
            continue
        for method, operation in old[path].items():
            if method in new[path]:
                yield from iter_operation_breaks(f"{path} {method}", operation, new[path][method])
            else:
                yield f"{path} {method}: is gone"


def iter_operation_breaks(name: str, old: Document, new: Document) -> Iterator[str]:
    """Of scope, parameters and answers."""
    if old["x-scope"] != new["x-scope"]:
        yield f"{name}: needs the scope {new['x-scope']} instead of {old['x-scope']}"
    before, after = ({one["name"]: one for one in place["parameters"]} for place in (old, new))
    yield from (f"{name}: {one} is gone" for one in sorted(before.keys() - after.keys()))
    for one in sorted(after):
        if after[one].get("required") and not before.get(one, {}).get("required"):
            yield f"{name}: requires {one}"
    gone = {status for status in old["responses"] if status < "300"} - new["responses"].keys()
    yield from (f"{name}: status {status} is gone" for status in sorted(gone))


def is_wider(old: Document, new: Document) -> bool:
    """Whether a field has the same values and further ones: what the API gives may become more."""
    rest = [key for key in TYPE_KEYS if key != "enum"]
    is_same = all(old.get(key) == new.get(key) for key in rest)
    return is_same and "enum" in old and set(old["enum"]) < set(new.get("enum", ()))


def iter_schema_breaks(name: str, old: Document, new: Document) -> Iterator[str]:
    """Of the fields of an object."""
    before, after = old.get("properties", {}), new.get("properties", {})
    for field in sorted(before):
        if field not in after:
            yield f"{name}: {field} is gone"
        elif not name.endswith("In") and is_wider(before[field], after[field]):
            continue
        elif any(before[field].get(key) != after[field].get(key) for key in TYPE_KEYS):
            yield f"{name}: {field} has another type"
    if not name.endswith("In"):  # what the API gives may be there more often
        return
    yield from (
        f"{name}: requires {field}"
        for field in sorted(set(new.get("required", [])) - set(old.get("required", [])))
    )
