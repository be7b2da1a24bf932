#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    if sys.argv[1:2] == ["demo"]:
        from clinic.demo import prepare_environment

        prepare_environment(sys.argv[2:], os.environ)
    execute_from_command_line(sys.argv)
