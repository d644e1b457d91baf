"""The description of the interface: everything bounded, every route with its errors in the one shape."""

import pytest


@pytest.fixture
def description(client):
    return client.get("/api/openapi.json").json()


def unbounded(schema, where):
    """Places of numbers, lists and strings without a maximum."""
    if isinstance(schema, list):
        for number, one in enumerate(schema):
            yield from unbounded(one, f"{where}[{number}]")
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind in ("integer", "number") and not {"maximum", "const", "enum"} & set(schema):
        yield f"{where}: number"
    if kind == "array" and "maxItems" not in schema:
        yield f"{where}: list"
    if kind == "string" and not {"maxLength", "const", "enum", "format", "contentMediaType"} & set(schema):
        yield f"{where}: string"
    for name, one in schema.items():
        if name not in ("example", "default", "required", "enum"):
            yield from unbounded(one, f"{where}.{name}")


def test_every_number_list_and_string_has_a_maximum(description):
    found = list(unbounded(description["components"], ""))
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            found += unbounded(operation.get("parameters", []), f"{method} {path}")
    assert found == []


def test_every_route_says_its_errors_in_the_one_shape(description):
    shape = {"$ref": "#/components/schemas/ErrorBody"}
    for methods in description["paths"].values():
        for operation in methods.values():
            assert operation["responses"]["4XX"]["content"]["application/json"]["schema"] == shape
            assert "422" not in operation["responses"]


def test_routes_are_named_for_generated_clients(description):
    names = [
        operation["operationId"]
        for methods in description["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names)) > 30
