"""What the documents list is what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = (ROOT / "clinic/settings.py").read_text()
VARIABLES = sorted(set(re.findall(r'(?:env_\w+|fernet_keys)\(\s*"([A-Z_]+)"', SETTINGS)) | {"PORT"})
COMMANDS = sorted(
    path.stem
    for path in ROOT.glob("*/management/commands/*.py")
    if path.stem != "__init__" and ".venv" not in path.parts
)


def test_the_settings_are_read_as_these_tests_expect():
    assert {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LOG_FORMAT", "DEMO"} <= set(VARIABLES)
    assert {"demo", "backup", "list_rules"} <= set(COMMANDS)


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_explained_to_whoever_sets_it(name):
    example = (ROOT / ".env.example").read_text()
    assert re.search(rf"^#?{name}=", example, re.MULTILINE)
    for page in ("README.md", "docs/interface.md"):
        assert f"`{name}`" in (ROOT / page).read_text(), page


def test_the_example_names_no_variable_that_nothing_reads():
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert named <= set(VARIABLES) | compose


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_part_of_the_interface(name):
    assert f"`manage.py {name}" in (ROOT / "docs/interface.md").read_text()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/privacy.md"])
def test_the_files_that_a_page_names_exist(page):
    named = re.findall(
        r"`((?:docs|clinic|intake|booking|deploy|tests)/[\w/.-]+)`", (ROOT / page).read_text()
    )
    assert [path for path in named if not (ROOT / path).exists()] == []
