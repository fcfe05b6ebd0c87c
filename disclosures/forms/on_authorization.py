"""What the log asks where something went out on an authorization: which form, and whether it reaches so far (164.508)."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures.models import Authorization
from records.models import Patient

AUTHORIZATIONS_OFFERED = 60  # the newest of the chart
_FIELD_OF = {  # the field that a refusal concerns; any other concerns the choice of the form
    "recipient": "recipient",
    "purpose": "purpose",
    "entries": "entries",
    "notes": "entries",
    "only_notes": "entries",
    "paper": "entries",
}


class AuthorizationsField(forms.ModelChoiceField):
    """The chart's signed forms, each with its day, whom it names and how it stands on the day `on`."""

    on: date

    def label_from_instance(self, form: Any) -> str:
        signed = form.signed_on or form.received_on
        return f"{date_format(signed, 'M j, Y')} · {form.recipient_line or '–'} · {form.standing(self.on).words}"


class OnAuthorization(forms.Form):
    """Mixin of a form with `patient`, `disclosed_on`, `recipient`, `entries`, `purpose_code` and `purpose`."""

    on: date
    authorization = AuthorizationsField(
        Authorization.objects.none(),
        label=gettext_lazy("On which authorization"),
        required=False,
        empty_label=gettext_lazy("Choose…"),
        help_text=gettext_lazy("To whom and why may then stay empty: they are taken from the form."),
    )

    def offer_authorizations_of(self, patient: Patient | None) -> None:
        """Offer the newest signed forms of this chart; without a chart the field goes."""
        if patient is None:
            del self.fields["authorization"]
            return
        newest = patient.authorizations.order_by("-id").values_list("pk", flat=True)[:AUTHORIZATIONS_OFFERED]
        shown = Q(pk__in=newest) | Q(pk__in=self.authorizations_given())
        field: Any = self.fields["authorization"]
        field.on = self.on
        field.needed_at_times = True  # so it is not called optional
        field.queryset = Authorization.objects.with_acts().filter(shown).order_by("-id")
        if self.data.get("purpose_code") == "authorization" and self.data.get("authorization"):
            for name in ("recipient", "purpose"):
                self.fields[name].required = False
                self.fields[name].needed_at_times = True  # type: ignore[attr-defined]

    def authorizations_given(self) -> list[int]:
        """Forms to offer besides the newest ones: the one that the row to be corrected went out on."""
        return []

    def check_authorization(self, data: dict[str, Any]) -> None:
        """On an authorization something goes out only as a form on file allows on that day (164.508(b)(1))."""
        on_form = data.get("purpose_code") == "authorization" and "authorization" in self.fields
        form = data["authorization"] = data.get("authorization") if on_form else None
        if form:
            self._fill_from(form, data)
            self._check_reach(form, data)
        elif on_form and "authorization" not in self.errors and not self.may_lack_form(data):
            self.add_error("authorization", _("Choose the signed form that it went out on. Is it not there? Record it first."))

    def may_lack_form(self, data: dict[str, Any]) -> bool:
        """Whether no form on file is needed: only for the correction of a row that never had one."""
        return False

    def _fill_from(self, form: Authorization, data: dict[str, Any]) -> None:
        data["purpose"] = (data.get("purpose") or "").strip() or form.purpose_words or _("As the patient directed")
        if not (data.get("recipient") or "").strip() and "recipient" not in self.errors:
            data["recipient"] = form.recipient_line[:300]
            data["recipient_address"] = data.get("recipient_address") or form.recipient_address

    def _check_reach(self, form: Authorization, data: dict[str, Any]) -> None:
        on = data.get("disclosed_on")
        if on is None:
            return
        release = {"recipient": data.get("recipient", ""), "entries": data.get("entries") or (), "purpose": data["purpose"]}
        for defect in form.refusals(on, **release):
            field = _FIELD_OF.get(defect.code, "authorization")
            self.add_error(field if field in self.fields else "authorization", f"{defect.words} ({defect.citation})")
        warnings = form.standing(on).warnings
        if warnings and not self.data.get("known"):
            tick = forms.CheckboxInput(attrs={"class": "form-check-input"})  # too late to be dressed with the others
            self.fields["known"] = forms.BooleanField(
                label=_("I know that, and it went out all the same"), widget=tick, required=False
            )
            self.add_error("known", " ".join(warnings))
