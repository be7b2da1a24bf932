"""Texts of Django's own admin pages for which it has no Spanish, or none in our style.

Nothing imports this module: it only lists the texts for the translation catalogue.
"""

from django.utils.translation import gettext_noop

gettext_noop("- Select an option -")
gettext_noop("Run")
gettext_noop("Search %(name)s")
gettext_noop("Pagination %(name)s")
gettext_noop("Pagination %(name)s entries")
gettext_noop("Filter by %(field_name)s")
gettext_noop("Welcome,")
gettext_noop("View")
gettext_noop("View %s")
gettext_noop("Add")
gettext_noop("Add %s")
gettext_noop("Add %(name)s")
gettext_noop("Add another %(model)s")
gettext_noop("Save and add another")
gettext_noop("The {name} “{obj}” was added successfully.")
gettext_noop("The {name} “{obj}” was changed successfully.")
gettext_noop("The %(name)s “%(obj)s” was deleted successfully.")
gettext_noop("Yes, I’m sure")
gettext_noop("No, take me back")
gettext_noop("Remove from sorting")
gettext_noop("After you’ve created a user, you’ll be able to edit more user options.")
gettext_noop("Enter a new password for the user <strong>%(username)s</strong>.")
