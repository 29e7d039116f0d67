"""How arguments reach a Web API method: over HTTP everything may be a string, and lists and objects may be JSON.

Knows the spellings that slack_sdk sends; knows no method.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Json, SlackError
from .state import State

_ABSENT: tuple[Any, ...] = (None, "")


class Args:
    """The arguments of one call."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = dict(given)

    def require(self, *names: str) -> None:
        """Refuse the call unless all are there; "a|b" asks for one of the two."""
        for name in names:
            if all(self.given.get(one) in _ABSENT for one in name.split("|")):
                first = name.split("|")[0]
                raise SlackError("invalid_arguments", (f"[ERROR] missing required field: {first}",))

    def has(self, name: str) -> bool:
        return self.given.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def maybe(self, name: str) -> str | None:
        value = self.given.get(name)
        return None if value in _ABSENT else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name)
        return default if value is None else value in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        value = self.given.get(name)
        try:
            return default if value in _ABSENT else int(str(value))
        except ValueError:
            raise SlackError("invalid_arguments", (f"[ERROR] must be an integer [json-pointer:/{name}]",)) from None

    def names(self, name: str) -> list[str]:
        """Give a list that came as a list or as "a,b"."""
        value = self.given.get(name)
        if value is None:
            return []
        parts = value if isinstance(value, list | tuple) else str(value).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def json(self, name: str, code: str = "invalid_json") -> Any:
        """Give what came as an object, a list or as JSON text; None if it did not come; `code` if it cannot be read."""
        value = self.given.get(name)
        if value in _ABSENT:
            return None
        try:
            # Slack keeps plain data of its own: later changes by the caller do not reach it.
            return json.loads(value if isinstance(value, str) else json.dumps(value))
        except (ValueError, TypeError):
            raise SlackError(code) from None


@dataclass(frozen=True, slots=True)
class Method:
    """One Web API method: what it does, which scopes allow it (any of them), which arguments it cannot do without."""

    function: Callable[[State, Args], Json]
    scopes: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()


def method(function: Callable[[State, Args], Json], scopes: str = "", required: str = "") -> Method:
    """Make a row of a method table; scopes and required arguments are separated by blanks."""
    return Method(function, frozenset(scopes.split()), tuple(required.split()))
