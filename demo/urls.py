"""Pages of the demo: log in as each role, read every mail."""

from django.urls import path

from demo.views import mail, roles

urlpatterns = [
    path("demo/", roles.demo, name="demo"),
    path("demo/mail/", mail.demo_mail, name="demo_mail"),
    path("demo/mail/<uuid:message_id>/", mail.demo_mail_message, name="demo_mail_message"),
    path("demo/mail/<uuid:message_id>/body/", mail.demo_mail_body, name="demo_mail_body"),
]
