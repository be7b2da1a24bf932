#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    if sys.argv[1:2] == ["demo"]:
        from demo.environment import prepare_environment

        prepare_environment(sys.argv[2:], os.environ)
    else:
        from clinic.environment import use_development_settings

        if use_development_settings(os.environ):
            sys.stderr.write("No environment set: using development settings (DEBUG=1).\n")
    execute_from_command_line(sys.argv)
