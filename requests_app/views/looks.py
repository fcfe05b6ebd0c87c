"""The queue of unusual looks at charts, and what was signed off."""

from datetime import timedelta
from itertools import islice

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest
from meso.paging import page
from meso.roles import needs
from requests_app import looks_today, unusual
from requests_app.forms.looks import SignOffForm
from requests_app.models import AccessReview

SPANS = (7, 30, 90)  # days; the first is the usual one
MOST = 100  # lines of one page, the gravest; the next ones come up when these are signed off


@needs("audit.view")
def audit_review(request: HttpRequest) -> HttpResponse:
    """What should be looked through, with a form that signs off the lines that are ticked."""
    on, asked = clock.today(), request.GET.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else SPANS[0]
    found = unusual.findings(on - timedelta(days=days - 1), on, request.office)
    form = SignOffForm(request.POST if request.method == "POST" else None, found=found, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            signed = form.sign(clock.now())
        except IntegrityError:
            form.add_error(None, _("Somebody else signed off one of these lines at this moment. Look again."))
        else:
            looks_today.forget(on)
            for one in signed:
                audit.record(Action.CREATE, f"review {one.pk}", chart=one.chart_number, detail=one.outcome, request=request)
            said = ngettext("%(n)d line is signed off.", "%(n)d lines are signed off.", len(signed)) % {"n": len(signed)}
            messages.success(request, said)
            return redirect(request.get_full_path())
    audit.looked_at(request, "unusual looks", detail=f"{len(found)} lines")
    ticked = {one.key for one in form.ticked}
    lines = [(one, one.key in ticked) for one in islice(found, MOST)]
    context = {"form": form, "lines": lines, "count": len(found), "more": len(found) - len(lines), "days": days, "spans": SPANS}
    return render(request, "requests_app/looks.html", context)


@needs("audit.view")
@require_GET
def audit_review_done(request: HttpRequest) -> HttpResponse:
    """What was signed off, the latest first."""
    found = page(AccessReview.objects.select_related("about", "by"), ["-id"], request.GET.get("after", ""))
    audit.looked_at(request, "reviews of looks", detail=f"{len(found)} rows")
    return render(request, "requests_app/looks_done.html", {"page": found})
