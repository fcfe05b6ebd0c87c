"""What every form shares: Bootstrap markup through one field template, and the ground's own forms."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.forms.renderers import TemplatesSetting
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from meso import brakes, clock, lockout, passwords, widgets
from meso.models import AccessEvent, Office, User
from meso.roles import Role

ROWS = 4  # lines of a box of text


class BootstrapRenderer(TemplatesSetting):
    """Renders each field through templates/forms/field.html: label, control, help, error, tied together for a screen reader."""

    field_template_name = "forms/field.html"

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """A control that meso/widgets.py writes, or the template."""
        return widgets.written(template_name, context) or super().render(template_name, context, request)


def dress(form: forms.BaseForm) -> None:
    """Give the widgets of a form Bootstrap's classes. For forms of Django's own; ours inherit `Form` or `ModelForm`."""
    for name, field in form.fields.items():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
            css = "form-check-input"
        elif isinstance(widget, forms.Select):
            css = "form-select"
        else:
            css = "form-control"
        if isinstance(widget, forms.Textarea) and widget.attrs.get("rows") == "10":  # Django's own, where a form says nothing
            widget.attrs["rows"] = ROWS
        if form.is_bound and name in form.errors:
            css += " is-invalid"
        widget.attrs["class"] = f"{widget.attrs.get('class', '')} {css}".strip()


class _Dressed:
    """Mixin: dresses the widgets when the form is first rendered, when its errors are known."""

    def render(self, *args: Any, **kwargs: Any) -> Any:
        self.dress_once()
        return super().render(*args, **kwargs)  # type: ignore[misc]

    def __getitem__(self, name: str) -> Any:
        self.dress_once()
        return super().__getitem__(name)  # type: ignore[misc]

    def dress_once(self) -> None:
        if not getattr(self, "_is_dressed", False):
            self._is_dressed = True
            dress(self)  # type: ignore[arg-type]


class _OneLineEnd:
    """Mixin: browsers send a new line as two characters; the house keeps one, as imports and other rows have it."""

    def __init__(self, data: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any):
        super().__init__(_with_one_line_end(data), *args, **kwargs)  # type: ignore[call-arg]


def _with_one_line_end(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not isinstance(data, QueryDict):
        return data
    changed = data.copy()
    for name, values in data.lists():
        changed.setlist(name, [value.replace("\r\n", "\n").replace("\r", "\n") for value in values])
    return changed


class Form(_OneLineEnd, _Dressed, forms.Form):
    """A form of the house."""


class ModelForm(_OneLineEnd, _Dressed, forms.ModelForm):
    """A model form of the house."""


class DateInput(forms.DateInput):
    """The browser's own date field: ISO on the wire."""

    input_type = "date"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own field for a time of day."""

    input_type = "time"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs=attrs, format="%H:%M")


class DateField(forms.DateField):
    """A day, picked in the browser's calendar or typed as 2026-11-24 or 11/24/2026."""

    widget = DateInput

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%m/%d/%Y"])
        kwargs.setdefault("error_messages", {"invalid": _("This is not a day. Type it like 11/24/2026.")})
        super().__init__(**kwargs)


class LoginForm(_Dressed, AuthenticationForm):
    """User name and password."""

    def confirm_login_allowed(self, user: Any) -> None:
        """A password that the admin gave is good for a week."""
        super().confirm_login_allowed(user)
        if passwords.has_expired(user, at=clock.now()):
            raise forms.ValidationError(
                _("This first password was given to you more than seven days ago. Ask the office admin for a new one.")
            )


class UnlockForm(Form):
    """The password of whoever's session is locked. A wrong one counts as a failed login: it is asked the same way."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """The password of this person, and of nobody else."""
        data = super().clean() or {}
        named = {"username": self.request.user.get_username(), "password": data.get("password")}
        if wait := lockout.held(self.request, named["username"]):
            raise forms.ValidationError(brakes.in_words(wait))
        if not self.errors and authenticate(self.request, **named) != self.request.user:
            raise forms.ValidationError(_("This is not your password. Capital letters count."))
        return data


class OfficeForm(ModelForm):
    """The office's profile, as the office admin edits it."""

    working_days = forms.MultipleChoiceField(
        label=_("Working days"),
        choices=[(str(number), WEEKDAYS[number]) for number in range(7)],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Office
        fields = [
            "name",
            "address_1",
            "address_2",
            "city",
            "state",
            "zip",
            "phone",
            "email",
            "time_zone",
            "officer_name",
            "officer_title",
            "officer_phone",
            "copy_rate",
            "charge_electronic_pages",
            "electronic_copy_fee",
            "state_page_cap",
            "cost_worksheet",
            "charge_scans",
            "promised_days",
            "longest_statement",
            "opens_at",
            "closes_at",
            "working_days",
        ]
        widgets = {"opens_at": TimeInput(), "closes_at": TimeInput()}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial["working_days"] = list(self.instance.working_days)

    def clean_working_days(self) -> str:
        """The days as the profile keeps them: "012345" is Monday to Saturday."""
        return "".join(sorted(self.cleaned_data["working_days"]))


class StaffForm(ModelForm):
    """A member of the staff as the office admin sees them. `by` is who edits; call inside a transaction."""

    def __init__(self, *args: Any, by: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.by = by

    def clean(self) -> dict[str, Any]:
        """Nobody shuts out themselves, and an office always has somebody who can let others in."""
        data = super().clean() or {}
        stays = data.get("is_active") and data.get("role") == Role.OFFICE_ADMIN
        if self.errors or stays:
            return data
        if self.instance.pk == self.by.pk:
            raise forms.ValidationError(_("You can't take away your own way in. Ask another office admin."))
        # All of them locked: of two admins who shut out each other at once, the second is refused.
        admins = User.objects.select_for_update().filter(is_active=True, role=Role.OFFICE_ADMIN).order_by("pk")
        if {admin.pk for admin in admins} <= {self.instance.pk}:
            raise forms.ValidationError(_("An office needs at least one office admin who may log in."))
        return data

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "role", "credentials", "licence_number", "home_street", "is_active"]
        labels = {"is_active": _("May log in")}
        help_texts = {"is_active": _("Without the tick this person is out at once. What they wrote and signed stays.")}


class NewStaffForm(_Dressed, BaseUserCreationForm):
    """A new member of the staff, with a first password, which they replace in their first login."""

    def save(self, commit: bool = True, *, given_at: datetime | None = None) -> User:
        """Store them. `given_at` is when the admin gave them the password."""
        self.instance.password_given_at = given_at
        return super().save(commit)

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "role", "credentials", "licence_number", "home_street"]


class AuditFilterForm(Form):
    """Narrows the audit trail. `narrow(queryset)` applies what is filled in."""

    chart_number = forms.CharField(label=_("Chart number"), required=False)
    user = forms.ModelChoiceField(
        User.objects.order_by("last_name", "username"), label=_("Who"), required=False, empty_label=_("Anybody")
    )
    action = forms.ChoiceField(
        label=_("What was done"), required=False, choices=[("", _("Anything")), *AccessEvent.Action.choices]
    )
    since = DateField(label=_("From"), required=False)
    until = DateField(label=_("To"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        return data

    def narrow(self, events: Any) -> Any:
        """The events that match what was filled in; all of them when the form is not valid."""
        if not self.is_valid():
            return events
        data = self.cleaned_data
        if data["chart_number"]:
            events = events.filter(chart_number=data["chart_number"].strip())
        if data["user"]:
            events = events.filter(user=data["user"])
        if data["action"]:
            events = events.filter(action=data["action"])
        since, until = data["since"], data["until"]
        return events.between(
            clock.midnight(since) if since else None, clock.midnight(until + timedelta(days=1)) if until else None
        )
