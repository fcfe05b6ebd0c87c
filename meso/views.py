"""The ground's pages: dashboard, audit, office profile, staff, health."""

from django.contrib import messages
from django.contrib.auth.views import LogoutView
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from meso import audit, clock, dashboard, drafts, errors, lockout, passwords, readiness, sessions, signin, today, way_in_mail
from meso.audit import Action
from meso.forms import AuditFilterForm, NewStaffForm, OfficeForm, StaffForm
from meso.http import HttpRequest, Refused, file_answer
from meso.models import AccessEvent, Anchor, Office, Session, User
from meso.paging import page
from meso.pdf import render_pdf
from meso.roles import FRESH, NARROWER, PERMISSIONS, PUBLIC, STAFF, WORDS, Role, needs

logout = needs(PUBLIC)(LogoutView.as_view())


@needs(STAFF)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard: what this person has to do today."""
    on = clock.today()
    cards, tasks = dashboard.cards_for(request, on), today.tasks_for(request, on)
    told = [(task, task.left(on), task.urgency(on)) for task in tasks[: today.SHOWN]]
    return render(request, "meso/dashboard.html", {"cards": cards, "tasks": told, "more": len(tasks) - len(told)})


@needs(PUBLIC)
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the server lives, and is ready to work (meso/readiness.py): 200, or 503 while it is not."""
    ready = readiness.is_ready()
    return JsonResponse({"live": True, "ready": ready}, status=200 if ready else 503)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose protection token no longer fits: what to do, in plain words.

    A view may say itself how its form is shown again, filled: `view.ask_again = function(request)`.
    """
    ask_again = getattr(request.resolver_match and request.resolver_match.func, "ask_again", None)
    if ask_again:
        return ask_again(request)
    return render(request, "403_csrf.html", {"form_page": drafts.keep_refused(request)}, status=403)


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for what is not one's to open; a refusal that a view makes leaves its event behind."""
    if isinstance(exception, Refused):
        audit.refused(request, exception.subject, exception.chart)
    return errors.page(request, 403)


@needs("audit.view")
def audit_trail(request: HttpRequest) -> HttpResponse:
    """The audit trail, newest first, narrowed by the filter. Reading it is audited too."""
    form = AuditFilterForm(request.POST or None)
    events = form.narrow(AccessEvent.objects.select_related("user"))
    found = page(events, ["-id"], request.POST.get("after", ""), size=50)
    audit.looked_at(request, "audit trail", detail=f"{len(found)} rows")
    return render(request, "meso/audit.html", {"form": form, "page": found})


@needs("audit.view")
@require_GET
def anchor_list(request: HttpRequest) -> HttpResponse:
    """The anchors, newest first, each with its sheet to print."""
    found = page(Anchor.objects.all(), ["-day"], request.GET.get("after", ""))
    audit.looked_at(request, "anchors")
    return render(request, "meso/anchors.html", {"page": found})


@needs("audit.view")
@require_GET
def anchor_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet of one anchor, to be kept outside."""
    anchor = get_object_or_404(Anchor, pk=pk)
    command = f"manage.py verify_records --anchor {anchor.text}"
    facts = {"anchor": anchor, "qr": anchor.qr(), "command": command, "office": request.office}
    sheet = render_pdf("meso/pdf/anchor.html", facts)
    audit.record(Action.PRINT, f"anchor of {anchor.day}", request=request)
    return file_answer(sheet.content, f"anchor-{anchor.day}.pdf")


@needs("office.edit")
def office_profile(request: HttpRequest) -> HttpResponse:
    """The office's profile and its history."""
    office = Office.current()
    form = OfficeForm(drafts.bound(request), instance=office)
    if request.method == "POST" and form.is_valid():
        form.save()
        drafts.discard(request.user, request.path)
        audit.record(AccessEvent.Action.CHANGE, "office profile", detail=audit.changed(form), request=request)
        messages.success(request, _("The office profile is saved."))
        return redirect("office")
    history = office.history.select_related("history_user")[:20]
    return render(request, "meso/office.html", {"form": form, "history": history})


@needs("staff.view")
@require_GET
def staff_list(request: HttpRequest) -> HttpResponse:
    """Who works here, and what each role may do."""
    people = User.objects.order_by("-is_active", "last_name", "username")
    table = [
        (WORDS[name], name in FRESH, [role in roles for role in Role]) for name, roles in PERMISSIONS.items() if name in WORDS
    ]
    return render(request, "meso/staff_list.html", {"people": people, "roles": Role, "permissions": table, "narrower": NARROWER})


@needs("staff.manage")
def staff_new(request: HttpRequest) -> HttpResponse:
    """Add a member of the staff."""
    form = NewStaffForm(request.POST or None, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        person = form.save(given_at=clock.now())
        drafts.discard(request.user, request.path)
        messages.success(request, _("%(name)s can log in now.") % {"name": person.signature})
        return redirect("staff")
    return render(request, "meso/staff_form.html", {"form": form, "person": None})


@needs("staff.manage")
@transaction.atomic
def staff_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a person's details, role, or whether they may log in; what they may no longer do ends at once."""
    person = get_object_or_404(User, pk=pk)
    form = StaffForm(drafts.bound(request), instance=person, by=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        drafts.discard(request.user, request.path)
        messages.success(request, _("%(name)s is saved.") % {"name": person.signature})
        return redirect("staff")
    facts = {"sessions": Session.objects.of(person, clock.now()), "held": lockout.minutes_held(person)}
    return render(request, "meso/staff_form.html", {"form": form, "person": person, **facts})


@needs("staff.manage")
@require_POST
def staff_let_try(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift the lockout of one person's login."""
    person = get_object_or_404(User, pk=pk)
    lockout.lift(person)
    audit.record(AccessEvent.Action.CHANGE, f"staff {person.pk}", detail="lockout lifted", request=request)
    messages.success(request, _("%(name)s can try to log in again.") % {"name": person.signature})
    return redirect("staff_edit", person.pk)


@needs("staff.manage")
@require_POST
def staff_sessions_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one session of a member of the staff, or all of them: they are out at the next click."""
    person = get_object_or_404(User, pk=pk)
    _end_sessions(request, person, request.POST.get("end", ""))
    return redirect("staff_edit", pk)


@needs(STAFF)
def session_list(request: HttpRequest) -> HttpResponse:
    """Where one is logged in, and a way to end it there."""
    if request.method == "POST":
        _end_sessions(request, request.user, request.POST.get("end", ""))
        return redirect("sessions")
    return render(request, "meso/sessions.html", {"sessions": Session.objects.of(request.user, clock.now())})


def _end_sessions(request: HttpRequest, person: User, which: str) -> None:
    """End them, but not the one in which this is asked; write down whose and how many, and say so."""
    ended = sessions.end(person, which, spare=request.session.session_key)
    if ended:
        audit.record(Action.LOGOUT, f"sessions of staff {person.pk}", detail=f"{ended} ended", request=request)
    said = ngettext("%(count)s session is ended.", "%(count)s sessions are ended.", ended) % {"count": ended}
    messages.success(request, said if ended else _("That session had ended already."))


@needs("staff.manage")
@transaction.atomic
def staff_way_in(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody who has lost password or second factor: a password for the next login, shown once; the lost factors gone."""
    person = get_object_or_404(User.objects.select_for_update(), pk=pk)
    given = ""
    if request.method == "POST" and person.pk != request.user.pk:
        if request.POST.get("act") == "password":
            given = passwords.give_one(person, at=clock.now())
            sessions.end(person)
            way_in_mail.tell(person, _("The office admin gave you a password for the next login."))
        elif request.POST.get("act") == "factor" and signin.take_factors_away(person):
            messages.success(request, _("The second factor is taken away. At the next login a new one is set up."))
            return redirect("staff_way_in", pk)
    context = {"person": person, "given": given, "has_factor": signin.has_factor(person)}
    return render(request, "meso/staff_way_in.html", context)
