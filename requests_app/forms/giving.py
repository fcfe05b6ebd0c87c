"""The release desk for a request: who asks, why and what are the request's; the day and the way are asked for."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from disclosures.branches import Branch
from disclosures.forms.desk import DeskForm
from disclosures.guard import Means, Plan
from disclosures.models import Release
from meso.forms import DateField
from meso.models import Office
from records import copying, representation, wishes
from records.exclusion import excluded
from records.models import Patient, WayOut
from requests_app import carrying_out, giving
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Delivery
from requests_app.models import CopyBill, PatientRequest

WAY_OF = {Delivery.MAIL: WayOut.MAIL, Delivery.PICK_UP: WayOut.HANDED_OVER, Delivery.ELECTRONIC: WayOut.EMAIL}
_NOT_ASKED = ("patient", "why", "recipient", "purpose", "means", "verified", "identifiers", "verified_on", "entries", "loose",
              "items", "said", "charge", "postage", "emergency", "authorization", "use",
              "representative", "needs", "basis")  # fmt: skip


class AccessForm(DeskForm):
    """The desk with what a request for access settles left out. Subclasses say what goes, and act."""

    addressed_to: list[str] = []
    asks_first = False  # all is known: the checks stand on the page as it opens
    released_on = DateField(label=gettext_lazy("Given on"))

    def __init__(self, *args: Any, asked: PatientRequest, **kwargs: Any):
        self.asked = asked
        self.facts = giving.facts_of(asked, kwargs["on"])
        super().__init__(*args, **kwargs)
        self.initial.setdefault("released_on", self.on)
        if acting := self.facts["representative"]:
            self.initial.setdefault("address", acting.address)
        elif asked.patient:
            self.addressed_to = wishes.mailing_lines(asked.patient, self.on)
            del self.fields["address"]  # the patient's wish or the chart says it
        for name in _NOT_ASKED:
            self.fields.pop(name, None)

    def chosen_patient(self) -> Patient | None:
        return self.asked.patient

    def chosen_way(self) -> Branch | None:
        return Plan(**self.facts).way if self.asked.patient else None

    @property
    def code(self) -> str:
        return "individual"

    def what(self) -> dict[str, Any]:
        """What goes, and how, as a plan names it."""
        raise NotImplementedError

    def plan(self) -> Plan:
        """The request's plan on the day given."""
        said = self.said_so_far()
        return Plan(**self.facts | self.what() | {"address": said.get("address") or "", "on": said["released_on"]})

    def said_so_far(self) -> dict[str, Any]:
        """The fields as they were sent, or as the page first shows them."""
        return self.cleaned_data if self.is_bound else dict(self.initial)

    def release(self, *, at: datetime, office: Office) -> Release | None:
        """Let it out; None, with the reason at its field or in the checks, when something is in the way."""
        try:
            return super().release(at=at, office=office)
        except NotAllowedNow as refusal:
            field = {"given_on": "released_on"}.get(refusal.field, refusal.field)
            self.add_error(field if field in self.fields else None, str(refusal))
            self.judge()
        return None


class GiveForm(AccessForm):
    """The copies go out: the day and the way. Paid or not makes no difference."""

    how = forms.ChoiceField(label=gettext_lazy("How"), choices=WayOut.choices)
    warned_on = DateField(
        label=gettext_lazy("Day on which the patient, warned that e-mail is not private, accepted it"), required=False,
        help_text=gettext_lazy("Others might read a plain e-mail. The patient may want it all the same, and then gets it."),
    )  # fmt: skip

    def __init__(self, *args: Any, bill: CopyBill, **kwargs: Any):
        self.bill, self.contents = bill, giving.what_of(bill)
        super().__init__(*args, **kwargs)
        self.initial.setdefault("how", WAY_OF[Delivery(bill.delivery)])

    @property
    def given(self) -> str:
        """What goes, in words."""
        pages = self.bill.pages + self.bill.paper_pages
        words = ngettext(
            "The copy of %(pages)s page made on %(day)s, with its bill. Paid or not: an open bill never holds a copy back.",
            "The copy of %(pages)s pages made on %(day)s, with its bill. Paid or not: an open bill never holds a copy back.",
            pages,
        )
        return words % {"pages": pages, "day": date_format(self.bill.made_on, "SHORT_DAY")}

    def clean(self) -> dict[str, Any]:
        """Only plain e-mail needs the warning."""
        data = super().clean() or {}
        if data.get("how") != WayOut.EMAIL:
            data["warned_on"] = None
        elif not data.get("warned_on") and "warned_on" not in self.errors:
            self.add_error("warned_on", _("Warn the patient that others might read an e-mail; write the day they accepted it."))
        return data

    def what(self) -> dict[str, Any]:
        """The copy's entries and files."""
        how = self.said_so_far()["how"]
        asked_so = how in carrying_out.ASKED_WAYS.get(self.asked.details.get("form", ""), ())
        return {**self.contents, "means": giving.MEANS_OF[how], "way_asked": asked_so}

    def act(self, *, at: datetime, office: Office) -> Release:
        """Give them."""
        data = self.cleaned_data
        released = giving.give(
            self.bill, self.plan(), self.overrides, how=data["how"], warned_on=data["warned_on"], by=self.by, at=at, on=self.on,
            office=office, once=data["once"],
        )  # fmt: skip
        self.asked.refresh_from_db()
        return released


class LookForm(AccessForm):
    """The patient looked at the record at the office, for which there is never a fee."""

    given = gettext_lazy("The record, without what is left out of copies. Looking is always free.")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["released_on"].label = _("Looked at it on")

    def what(self) -> dict[str, Any]:
        """All of the record that the right of access reaches."""
        entries, loose = copying.orderable(self.asked.patient)  # type: ignore[arg-type]
        reached = [entry for entry in entries if not excluded(entry)]
        open_to = representation.open_to(reached, self.facts["representative"])
        words = _("The record, looked at here")
        return {"entries": tuple(open_to), "loose": tuple(loose), "means": Means.INSPECT, "said": words}

    def act(self, *, at: datetime, office: Office) -> Release:
        """Record that they looked."""
        released = giving.look(
            self.asked, self.plan(), self.overrides, by=self.by, at=at, on=self.on, office=office,
            once=self.cleaned_data["once"],
        )  # fmt: skip
        self.asked.refresh_from_db()
        return released
