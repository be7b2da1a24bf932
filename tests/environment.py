"""The suite's own environment variables, set by pytest before it loads the settings."""

import atexit
import os
import shutil
import tempfile

# Processes of `pytest --both-databases`; xdist passes each one its name.
PURE, SQLITE, POSTGRES = "pure", "sqlite", "postgres"

_state = tempfile.mkdtemp(prefix="backstride-tests-")
atexit.register(shutil.rmtree, _state, ignore_errors=True)

os.environ["STATE_DIR"] = _state
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["BASE_URL"] = "http://testserver"
for _name in ("DEBUG", "DEMO", "REDIS_URL", "EMAIL_URL", "ALLOWED_HOSTS"):
    os.environ.pop(_name, None)
_sqlite_url = f"sqlite:///{_state}/tests.sqlite3"
match os.environ.get("PYTEST_XDIST_WORKER"):
    case "postgres":
        os.environ["DATABASE_URL"] = os.environ["TEST_POSTGRES_URL"]
    case "pure" | "sqlite":
        os.environ["DATABASE_URL"] = _sqlite_url
    case _:
        os.environ.setdefault("DATABASE_URL", _sqlite_url)
