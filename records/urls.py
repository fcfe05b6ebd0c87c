"""Pages of this app."""

from django.urls import path

from records.views import chart, entries, files, glass, guards, limits, lookers, minors, patients, picker, representatives

_ONE = "patients/<str:chart>/representatives/<int:pk>/"

urlpatterns = [
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.patient_new, name="patient_new"),
    path("patients/pick/", picker.patient_pick, name="patient_pick"),
    path("patients/<str:chart>/", chart.chart, name="chart"),
    path("patients/<str:chart>/edit/", patients.patient_edit, name="patient_edit"),
    path("patients/<str:chart>/print/", chart.record_print, name="record_print"),
    path("patients/<str:chart>/files/", files.chart_files, name="chart_files"),
    path("patients/<str:chart>/files/new/", files.chart_upload, name="chart_upload"),
    path("patients/<str:chart>/files/<int:pk>/", files.attachment, name="attachment"),
    path("patients/<str:chart>/entries/new/", entries.entry_new, name="entry_new"),
    path("patients/<str:chart>/entries/draft/", entries.entry_draft, name="entry_draft"),
    path("patients/<str:chart>/entries/<int:pk>/strike/", entries.entry_strike, name="entry_strike"),
    path("patients/<str:chart>/entries/<int:pk>/addendum/", entries.entry_addendum, name="entry_addendum"),
    path("patients/<str:chart>/entries/<int:pk>/misfiled/", entries.entry_misfiled, name="entry_misfiled"),
    path("patients/<str:chart>/entries/<int:pk>/flag/", entries.entry_flag, name="entry_flag"),
    path("patients/<str:chart>/flags/<int:pk>/end/", entries.entry_flag_end, name="entry_flag_end"),
    path("patients/<str:chart>/limits/", limits.chart_limits, name="chart_limits"),
    path("patients/<str:chart>/limits/new/", limits.limit_new, name="limit_new"),
    path("patients/<str:chart>/limits/paid/", limits.limit_paid, name="limit_paid"),
    path("patients/<str:chart>/limits/<int:pk>/end/", limits.limit_end, name="limit_end"),
    path("patients/<str:chart>/limits/<int:pk>/emergency/", limits.limit_emergency, name="limit_emergency"),
    path("patients/<str:chart>/limits/<int:pk>/bounce/", limits.limit_bounce, name="limit_bounce"),
    path("patients/<str:chart>/bounces/<int:pk>/made-good/", limits.bounce_made_good, name="bounce_made_good"),
    path("patients/<str:chart>/emergency-letters/<int:pk>/", limits.emergency_letter, name="emergency_letter"),
    path("patients/<str:chart>/emergency-letters/<int:pk>/sent/", limits.emergency_letter_sent, name="emergency_letter_sent"),
    path("patients/<str:chart>/entries/<int:pk>/minor/", minors.entry_minor, name="entry_minor"),
    path("patients/<str:chart>/signed-anew/", minors.signed_anew, name="signed_anew"),
    path("patients/<str:chart>/death/", minors.patient_death, name="patient_death"),
    path("patients/<str:chart>/representatives/", representatives.representatives, name="representatives"),
    path("patients/<str:chart>/representatives/new/", representatives.representative_new, name="representative_new"),
    path(_ONE + "end/", representatives.representative_end, name="representative_end"),
    path(_ONE + "document/", representatives.representative_scan, name="representative_scan"),
    path(_ONE + "refuse/", representatives.representative_refuse, name="representative_refuse"),
    path(_ONE + "refusal/", representatives.representative_refusal, name="representative_refusal"),
    path(_ONE + "refusal/end/", representatives.representative_refusal_end, name="representative_refusal_end"),
    path("patients/<str:chart>/emergency/", glass.break_glass, name="break_glass"),
    path("patients/<str:chart>/entries/<int:pk>/emergency/", glass.break_glass_note, name="break_glass_note"),
    path("patients/<str:chart>/guard/", guards.chart_guard, name="chart_guard"),
    path("patients/<str:chart>/guard/new/", guards.guard_new, name="guard_new"),
    path("patients/<str:chart>/guard/lift/", guards.guard_lift, name="guard_lift"),
    path("patients/<str:chart>/lookers/", lookers.chart_lookers, name="chart_lookers"),
    path("patients/<str:chart>/lookers/<int:pk>/list.pdf", lookers.lookers_given, name="lookers_given"),
    path("emergency/", glass.emergency_accesses, name="emergency_accesses"),
    path("emergency/<int:pk>/", glass.emergency_access, name="emergency_access"),
]
