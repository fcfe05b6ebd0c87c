"""The postage prices behind the estimate of a copy, as the office admin keeps them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from meso import audit, clock
from meso.audit import Action
from meso.forms import DateField, ModelForm
from meso.http import HttpRequest
from meso.roles import needs
from requests_app import postage
from requests_app.models import PostagePrice


class PostageForm(ModelForm):
    """A new price of a band."""

    class Meta:
        model = PostagePrice
        fields = ["shape", "ounces", "price", "effective_on", "source"]
        field_classes = {"effective_on": DateField}


@needs("office.edit")
def postage_prices(request: HttpRequest) -> HttpResponse:
    """The prices in force and to come, and a form that adds one."""
    on = clock.today()
    form = PostageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.by, form.instance.at = request.user, clock.now()
        form.save()
        audit.record(Action.CREATE, "postage price", request=request)
        messages.success(request, _("The price is kept. Estimates use it from its day on."))
        return redirect("postage_prices")
    bands = PostagePrice.objects.bands()
    held = sorted(postage.in_force(bands, on).values(), key=lambda band: (band.shape, band.ounces))
    coming = [band for band in bands if band.effective_on > on]
    audit.looked_at(request, "postage prices")
    return render(request, "requests_app/postage.html", {"form": form, "bands": [*held, *coming]})
