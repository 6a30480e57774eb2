"""Taking one check out of the service, for a moment: in the code that runs, not in a copy or a double of it.

A check is named by the words it stands in. Where they are no longer there, somebody has changed the check, and the
table of sabotages must say where it is now.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from sqlalchemy import TextClause, text

from tsunagi.api import bodies


@dataclass(frozen=True)
class Shown:
    """Who would see something, of a handover in which state, and by which question, list (`lists`) or `chain`."""

    role: str
    state: str
    by: str


@dataclass(frozen=True)
class Sabotage:
    """In `where` (`module:function`, or `module:CONSTANT` for SQL), `check` becomes `instead`.

    `shown`: what that opens where the database has no walls. None: the service has a second check of its own, or
    the first kept back no more than a column of a row that is the organization's anyway.
    """

    where: str
    check: str
    instead: str
    shown: Shown | None = None

    @property
    def module(self) -> Any:
        return importlib.import_module(f"tsunagi.{self.where.partition(':')[0]}")

    @contextmanager
    def done(self) -> Iterator[None]:
        name = self.where.partition(":")[2]
        target: Any = self.module
        for part in name.split("."):
            target = inspect.getattr_static(target, part)
        if isinstance(target, FunctionType):
            before = target.__code__
            target.__code__ = _named(name, self._rewritten())
            self._forget()
            try:
                yield
            finally:
                target.__code__ = before
                self._forget()
        else:
            setattr(self.module, name, self._replaced(target))
            self._forget()
            try:
                yield
            finally:
                setattr(self.module, name, target)
                self._forget()

    def _forget(self) -> None:
        """What the module, and bodies of answers, have composed meanwhile."""
        for module in (self.module, bodies):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()

    def _rewritten(self) -> CodeType:
        """The whole module, compiled with the check replaced; nothing of it is run."""
        source = inspect.getsource(self.module)
        assert source.count(self.check) == 1, f"{self.where}: {source.count(self.check)} × {self.check!r}"
        return compile(
            source.replace(self.check, self.instead), self.module.__file__, "exec", dont_inherit=True
        )

    def _replaced(self, sql: Any) -> Any:
        if isinstance(sql, dict):
            return {key: self._replaced(part) if self.check in part else part for key, part in sql.items()}
        assert str(sql).count(self.check) == 1, f"{self.where}: {str(sql).count(self.check)} × {self.check!r}"
        new = str(sql).replace(self.check, self.instead)
        return text(new) if isinstance(sql, TextClause) else new


def _named(name: str, module: CodeType) -> CodeType:
    """The code of the function of that (qualified) name."""
    waiting = [module]
    while waiting:
        for constant in waiting.pop().co_consts:
            if isinstance(constant, CodeType):
                if constant.co_qualname == name:
                    return constant
                waiting.append(constant)
    raise AssertionError(f"{name} is not there")
