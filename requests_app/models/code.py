"""The secret code of a request from the web form: how it is given out, and how a request is found by it."""

from typing import Self

from requests_app import codes
from requests_app.models.row import RequestRow


class WithCode(RequestRow):
    """A request with its code."""

    class Meta(RequestRow.Meta):
        abstract = True

    def code_from(self, token: str) -> str:
        """The secret code of this request, for whoever holds the token of the form that made it."""
        seed = f"{self.pk} {token}"
        given = (codes.code_for(seed, secret) for secret in codes.secrets())
        return next((code for code in given if codes.matches(code, self.code_digest)), codes.code_for(seed))

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
        nobody = codes.digest("no such request")
        is_right = codes.matches(code, request.code_digest if request else nobody)
        return request if is_right and request else None
