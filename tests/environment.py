"""Loaded by pytest before the settings are: gives the suite an environment of its own."""

import atexit
import os
import shutil
import tempfile

_state = tempfile.mkdtemp(prefix="backstride-tests-")
atexit.register(shutil.rmtree, _state, ignore_errors=True)

os.environ["STATE_DIR"] = _state
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["BASE_URL"] = "http://testserver"
for _name in ("DEBUG", "DEMO", "REDIS_URL", "EMAIL_URL", "ALLOWED_HOSTS"):
    os.environ.pop(_name, None)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_state}/tests.sqlite3")
