"""The number of a request as a part of an address: R-1042."""

from django.urls import register_converter


class RequestNumber:
    """Matches R- and digits; the view gets the number as text and looks it up with `by_number`."""

    regex = "R-[0-9]{4,12}"

    def to_python(self, value: str) -> str:
        """The number as it stands in the address."""
        return value

    def to_url(self, value: str) -> str:
        """The number as it stands on letters and screens."""
        return value


register_converter(RequestNumber, "request_number")
