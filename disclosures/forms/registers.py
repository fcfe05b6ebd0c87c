"""Research protocols and business associates, as the officer keeps them."""

from disclosures.models import BusinessAssociate, ResearchProtocol
from meso.forms import DateField, ModelForm


class ProtocolForm(ModelForm):
    """Everything that an accounting may have to say of a protocol (164.528(b)(4)(i))."""

    class Meta:
        model = ResearchProtocol
        fields = [
            "name",
            "description",
            "purpose",
            "selection",
            "kinds",
            "begins_on",
            "ends_on",
            "people",
            "waiver",
            "sponsor",
            "sponsor_address",
            "sponsor_phone",
            "researcher",
            "researcher_address",
            "researcher_phone",
        ]
        field_classes = {"begins_on": DateField, "ends_on": DateField}


class AssociateForm(ModelForm):
    """A business associate and their contract."""

    class Meta:
        model = BusinessAssociate
        fields = ["name", "does", "contract_on", "contract_ends_on", "contact"]
        field_classes = {"contract_on": DateField, "contract_ends_on": DateField}
