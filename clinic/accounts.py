from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAccountAdapter(DefaultAccountAdapter):
    """Accounts are staff accounts, made by a manager in the admin."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
