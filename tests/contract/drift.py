"""Compares the application with the contract. Each function says what differs, one line a difference.

They take what they compare as arguments, so that tests can hand them a contract or an application that is wrong.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from tsunagi.api.routing import ContractRoute
from tsunagi.contract import Contract


def routes(app: FastAPI, openapi: Mapping[str, Any]) -> list[str]:
    """Operations that only one of the two knows, by operation id, method and path."""
    served = {
        (operation.id, operation.method, operation.path)
        for route in app.routes
        if isinstance(route, ContractRoute)
        for operation, _ in route.served
    }
    served |= {
        (route.operation_id, method, route.path)
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }
    declared = {
        (spec["operationId"], method.upper(), path)
        for path, item in openapi["paths"].items()
        for method, spec in item.items()
        if method in ("get", "put", "post", "delete", "patch")
    }
    only_served = [f"served only: {one}" for one in sorted(served - declared)]
    return only_served + [f"declared only: {one}" for one in sorted(declared - served)]


def view(model: type[BaseModel], documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Documents that their schema takes and the service's view of them refuses."""
    found = []
    for number, document in enumerate(documents):
        try:
            model.model_validate(document)
        except ValidationError as error:
            found.append(f"document {number}: {[one['loc'] for one in error.errors()]}")
    return found


def enums(stated: Mapping[str, Iterable[str]], contract: Contract) -> list[str]:
    """Code lists of the service (by schema URI) that differ from the schema's."""
    found = []
    for uri, values in stated.items():
        declared = set(contract.resolve(uri)["enum"])
        if difference := declared ^ set(values):
            found.append(f"{uri.rpartition('/')[2]}: {sorted(difference)}")
    return found
