"""Turns what drivers raise into the errors that we promise."""

from __future__ import annotations

import sqlalchemy as sa

from butler_core.registry.backend import Backend


class PlainErrors:
    """A context, to be entered as often as one likes, that lets only our own errors out.

    A broken constraint stays `sqlalchemy.exc.IntegrityError`: who knows what was
    to be stored will explain it.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or isinstance(error, sa.exc.IntegrityError):
            return
        backend = self._backend
        if isinstance(error, sa.exc.DBAPIError):
            raise backend.explain(error.orig or error) from error
        if isinstance(error, backend.driver_error):
            wrapped = sa.exc.DBAPIError.instance(
                None, None, error, backend.driver_error, dialect=backend.engine.dialect
            )
            if isinstance(wrapped, sa.exc.IntegrityError):
                raise wrapped from error
            raise backend.explain(error) from error
