"""The documents list what exists in the code."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parents[1]
APPS = ("clinic", "intake", "schedule", "booking", "desk", "demo")
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
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


def code_in(page: str) -> list[str]:
    """Return the code on a page: text in backticks, and indented or fenced lines."""
    text = (ROOT / page).read_text()
    return [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)]


def test_the_pages_are_found():
    assert {"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/decisions/mail.md"} <= {
        *PAGES
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page):
    folders = "|".join((*APPS, "bench", "deploy", "docs", "locale", "static", "templates", "tests"))
    named = {code for code in code_in(page) if re.fullmatch(rf"(?:{folders})/[\w./-]+", code)}
    linked = {
        str((ROOT / page).parent.joinpath(link).relative_to(ROOT))
        for link in re.findall(r"\]\(([\w./-]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    }
    assert {path for path in (named | linked) if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(code_in(page))
    unknown = set(re.findall(r"^make (\w+)", code, re.MULTILINE)) - targets
    unknown |= set(re.findall(r"manage\.py (\w+)", code)) - set(get_commands())
    assert unknown == set()


def names_in_the_code() -> set[str]:
    """Return the names of modules, classes, functions, arguments, fields and constants."""
    names = set()
    for path in [path for app in APPS for path in (ROOT / app).rglob("*.py")]:
        names.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
                    names.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    names.add(name)
    return names


def test_the_glossary_names_what_is_in_the_code():
    rows = re.findall(r"^\|.+\| ([^|]+) \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    named = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    assert "Appointment" in named
    assert named - names_in_the_code() == set()


def test_the_glossary_has_each_word_once():
    words = re.findall(r"^\| (.+?) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    words = [word for word in words if word != "word"]
    assert sorted(set(words)) == sorted(words)


def test_every_decision_is_dated_and_in_the_index():
    index = (ROOT / "docs/decisions.md").read_text()
    listed = re.findall(
        r"^- (\d{4}-\d\d-\d\d) \[(.+)\]\(decisions/(\w+)\.md#([\w-]+)\)$", index, re.MULTILINE
    )
    decided = []
    for path in DECISIONS:
        titles = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        dated = re.findall(r"^## (.+)\n\n\*(\d{4}-\d\d-\d\d)", path.read_text(), re.MULTILINE)
        assert [title for title, _date in dated] == titles, path
        for title, date in dated:
            anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            decided.append((date, title, path.stem, anchor))
    assert sorted(listed) == sorted(decided)
