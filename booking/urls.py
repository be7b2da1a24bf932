"""Pages of patients: home, booking, the waitlist, and one visit by link."""

from django.urls import path

from booking import my_visits
from booking.flow.views import book, choose, confirm, details, home, safety
from booking.series import views as series
from booking.visit_pages import birth_date, check_ins, intake, mails, visit
from booking.waitlist import views as waitlist

urlpatterns = [
    path("", home.home, name="home"),
    path("services/", home.services, name="services"),
    # Booking
    path("book/", book.book, name="book"),
    path("book/safety/", safety.safety, name="safety"),
    path("book/safety/emergency/", safety.emergency, name="emergency"),
    path("book/safety/callback/", safety.callback, name="callback"),
    path("book/safety/no-time/", safety.no_time, name="no_time"),
    path("book/safety/result/", safety.safety_result, name="safety_result"),
    path("book/choose/", choose.choose, name="choose"),
    path("book/confirm/", confirm.confirm_address, name="confirm_address"),
    path("book/confirm/<str:token>/", confirm.confirm_booking, name="confirm_booking"),
    path("book/<slug:slug>/", book.slots, name="slots"),
    path("book/<slug:slug>/details/", details.details, name="details"),
    # The waitlist
    path("book/<slug:slug>/waitlist/", waitlist.join_waitlist, name="join_waitlist"),
    path("waitlist/<uuid:entry_id>/", waitlist.waitlist_entry, name="waitlist_entry"),
    path("waitlist/offers/<uuid:offer_id>/", waitlist.waitlist_offer, name="waitlist_offer"),
    # One visit, by link
    path("visits/<uuid:visit_id>/", visit.visit, name="visit"),
    path("visits/<uuid:visit_id>/confirm/", visit.confirm_visit, name="confirm_visit"),
    path("visits/<uuid:visit_id>/move/", visit.move_visit, name="move_visit"),
    path("visits/<uuid:visit_id>/cancel/", visit.cancel_visit, name="cancel_visit"),
    path("visits/<uuid:visit_id>/undo/", visit.undo_change, name="undo_change"),
    path("visits/<uuid:visit_id>/calendar.ics", visit.visit_calendar, name="visit_calendar"),
    path("visits/<uuid:visit_id>/series.ics", series.series_calendar, name="series_calendar"),
    path("visits/<uuid:visit_id>/series/", series.plan_series, name="plan_series"),
    path("visits/<uuid:visit_id>/move-following/", series.move_following, name="move_following"),
    path("visits/<uuid:visit_id>/mails/", mails.visit_mails, name="visit_mails"),
    path("visits/<uuid:visit_id>/intake/", intake.intake, name="intake"),
    path(
        "visits/<uuid:visit_id>/intake/birth-date/",
        birth_date.intake_birth_date,
        name="intake_birth_date",
    ),
    path(
        "visits/<uuid:visit_id>/intake/agreement/",
        intake.intake_agreement,
        name="intake_agreement",
    ),
    path("visits/<uuid:visit_id>/intake/correct/", intake.intake_correct, name="intake_correct"),
    path("visits/<uuid:visit_id>/intake/review/", intake.intake_review, name="intake_review"),
    path("visits/<uuid:visit_id>/intake/<int:number>/", intake.intake_page, name="intake_page"),
    path("visits/<uuid:visit_id>/check/", check_ins.rescreen, name="rescreen"),
    path("visits/<uuid:visit_id>/week/", check_ins.check_in, name="check_in"),
    path("my-visits/", my_visits.my_visits, name="my_visits"),
]
