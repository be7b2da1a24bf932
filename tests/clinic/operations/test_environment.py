import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clinic.environment import use_development_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_a_checkout_with_no_environment_gets_development_settings(checkout):
    environ = {"PATH": "/bin", "PORT": "9000"}
    assert use_development_settings(environ, checkout=checkout)
    assert environ["DEBUG"] == "1"


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DEBUG", "DEMO", "BASE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"]
)
def test_whatever_is_configured_stays_strict(checkout, name):
    environ = {name: "0"}
    assert not use_development_settings(environ, checkout=checkout)
    assert environ == {name: "0"}


def test_an_installation_without_a_repository_stays_strict(tmp_path):
    environ: dict[str, str] = {}
    assert not use_development_settings(environ, checkout=tmp_path)
    assert environ == {}


def run_in_a_clone(folder, **environ):
    for name in (
        "clinic",
        "intake",
        "schedule",
        "booking",
        "desk",
        "demo",
        "templates",
        "static",
        "locale",
    ):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "manage.py", folder)
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "STATE_DIR": str(folder / "var"), **environ},
        capture_output=True,
        text=True,
    )


def test_a_server_without_a_secret_key_is_refused(tmp_path):
    refused = run_in_a_clone(tmp_path, BASE_URL="https://clinic.example")
    assert refused.returncode != 0
    assert "Set the environment variable SECRET_KEY" in refused.stderr
