"""The secret code of a request from the web form: how it is given out, and how a request is found by it."""

from typing import Self

from django.utils.crypto import constant_time_compare

from requests_app import codes
from requests_app.models.row import RequestRow


class WithCode(RequestRow):
    """A request with its code."""

    class Meta(RequestRow.Meta):
        abstract = True

    def code_from(self, token: str) -> str:
        """The secret code of this request, for whoever holds the token of the form that made it."""
        return codes.code_for(f"{self.pk} {token}")

    def give_code(self, token: str) -> str:
        """Give a web request its secret code: store the digest, return the code. It can be told again only with the token."""
        code = self.code_from(token)
        self.code_digest = codes.digest(code)
        self.save(update_fields=["code_digest"])
        return code

    @classmethod
    def find_by_code(cls, number: str, code: str) -> Self | None:
        """The web request with this number and code, or None. Does the same work whether or not the number exists."""
        request = cls.objects.by_number(number).exclude(code_digest="").first()
        typed, nobody = codes.digest(code), codes.digest("no such request")
        stored = request.code_digest if request else nobody
        return request if constant_time_compare(stored, typed) and request else None
