"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import demo_mail

urlpatterns = [
    path("demo/mail/", demo_mail.demo_mail, name="demo_mail"),
    path("demo/mail/<uuid:message_id>/", demo_mail.demo_mail_message, name="demo_mail_message"),
    path("demo/mail/<uuid:message_id>/body/", demo_mail.demo_mail_body, name="demo_mail_body"),
]
