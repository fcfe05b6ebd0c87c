"""A column that is searched by range."""

from typing import Any

from django.db import models


class KeyField(models.CharField):
    """Text that sorts by code point on both databases, so that `key >= q AND key < q + LAST` is "begins with q".

    PostgreSQL needs the collation "C" for that; SQLite's own BINARY already does it.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
