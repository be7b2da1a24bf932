"""Our rules for the code that tests can check. `docs/decisions.md` gives the reasons."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[1]
# The lowest layer first. A module imports only from its own layer and lower ones.
FLOORS = ("clinic", "intake", "schedule", "booking", "desk", "demo")
ABOVE = {app: FLOORS[number + 1 :] for number, app in enumerate(FLOORS)}
SAYS_NOTHING = {
    "common", "core", "helper", "helpers", "manager", "managers", "misc", "mixin", "mixins",
    "service", "services", "util", "utils",
}  # fmt: skip
MAX_LINES = 500
# A model, its queryset and its transitions are one subject.
MAX_MODEL_LINES = 700


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def label(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}{f':{line}' if line else ''}"


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each dotted name that the file imports, absolute, with its line."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


@pytest.mark.parametrize("app", FLOORS)
def test_imports_go_down_only(app):
    upward = [
        f"{label(path, line)} imports {name}"
        for path in sources(app)
        for name, line in imports(path)
        if name.split(".")[0] in ABOVE[app]
    ]
    assert upward == []


@pytest.mark.parametrize("app", FLOORS)
def test_no_model_above_is_named_in_a_string(app):
    """Neither `ForeignKey("booking.Appointment")` nor `get_model("booking", "Appointment")`."""
    models = {
        f"{model._meta.app_label}.{model.__name__}".lower()
        for above in ABOVE[app]
        for model in apps.get_app_config(above).get_models()
    }
    named = []
    for path in sources(app):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Constant(value=str(text)) if text.lower() in models:
                    named.append(f"{label(path, node.lineno)} names {text}")
                case ast.Call(
                    func=ast.Attribute(attr="get_model" | "get_app_config"),
                    args=[ast.Constant(value=str(text)), *_],
                ) if text.split(".")[0] in ABOVE[app]:
                    named.append(f"{label(path, node.lineno)} looks up {text}")
    assert named == []


def names_leading_up(app: str) -> tuple[set[str], set[str]]:
    """Return reverse relations from `app`'s models to higher apps: accessors, names in queries."""
    accessors, lookups = set(), set()
    for model in apps.get_app_config(app).get_models():
        for field in model._meta.related_objects:
            if field.related_model._meta.app_label in ABOVE[app]:
                accessors.add(field.get_accessor_name())
                lookups.add(field.name)
    return accessors - {None}, lookups


@pytest.mark.parametrize("app", FLOORS)
def test_no_query_follows_a_relation_upwards(app):
    accessors, lookups = names_leading_up(app)

    def leads_up(text: str) -> bool:
        first, *rest = text.lstrip("-").split("__")
        return bool(rest) and first in lookups

    followed = []
    for path in sources(app):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.keyword(arg=str(name)) if leads_up(name):
                    followed.append(f"{label(path, node.lineno)} looks up {name}")
                case ast.Constant(value=str(text)) if leads_up(text):
                    followed.append(f"{label(path, node.lineno)} looks up {text}")
                case ast.Attribute(attr=name) if name in accessors:
                    followed.append(f"{label(path, node.lineno)} reads .{name}")
    for path in (ROOT / "templates" / app).rglob("*.html"):
        tags = " ".join(re.findall(r"\{[{%].*?[%}]\}", path.read_text()))
        read = accessors & set(re.findall(r"\.(\w+)", tags))
        followed += [f"{label(path)} reads .{name}" for name in read]
    assert followed == []


def test_the_relations_that_lead_up_are_known():
    """Guards the test above, which also passes if it knows no relation."""
    assert "appointments" in names_leading_up("clinic")[0]


# Folders and modules that contain views, including those named views.
PAGES = {"views", "visit_pages", "clinician"}


def is_a_page(dotted: str) -> bool:
    return bool(PAGES & set(dotted.split(".")[:3])) and dotted.split(".")[0] in FLOORS


@pytest.mark.parametrize("app", FLOORS)
def test_pages_are_imported_by_urls_only(app):
    importers = [
        label(path, line)
        for path in sources(app)
        for name, line in imports(path)
        if is_a_page(name)
        and path.stem not in {"urls", "pages"}
        and not PAGES & set(path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert importers == []


def test_every_module_is_named_for_what_is_in_it():
    modules = sources(*FLOORS, "tests", "bench")
    assert modules
    nameless = [label(path) for path in modules if SAYS_NOTHING & {path.stem, path.parent.name}]
    assert nameless == []


def test_no_file_is_too_long_to_read():
    files = [*sources(*FLOORS, "tests", "bench"), *templates(), *(ROOT / "static").rglob("*.js")]
    long = [
        label(path)
        for path in files
        if len(path.read_text().splitlines())
        > (MAX_MODEL_LINES if path.name == "models.py" else MAX_LINES)
    ]
    assert long == []


AGAINST_THE_CONTENT_POLICY = {
    "inline style": r"\sstyle=",
    "style element": r"<style\b",
    "inline script": r"<script\b(?![^>]*\ssrc=)",
    "event handler": r"\son[a-z]+=",
    "htmx evaluating a string": r"hx-on|hx-vals=['\"]js:",
    "script address": r"javascript:",
}
# Mail programs support no style sheets; a mail is shown only in its own sandboxed response.
MAIL_TEMPLATES = re.compile(r"/(emails?|mails?)/")


@pytest.mark.parametrize("what", AGAINST_THE_CONTENT_POLICY)
def test_templates_keep_the_content_policy(what):
    pattern = re.compile(AGAINST_THE_CONTENT_POLICY[what])
    pages = [path for path in templates() if not MAIL_TEMPLATES.search(label(path))]
    assert pages
    assert [label(path) for path in pages if pattern.search(path.read_text())] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_and_hashes_and_names_no_host(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|index-url|find-links", text)
    pins = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==[^\n]+\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0


def test_the_development_lock_holds_the_same_pins_as_the_runtime_lock():
    runtime, development = (
        set(re.findall(r"^\w[^ ]*==[^ \n]+", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime < development


# Private names that Django, the standard library and pytest document for public use.
DOCUMENTED = {
    "_base_manager", "_default_manager", "_meta", "_state", "_fields", "_replace", "_asdict",
}  # fmt: skip


def private_names_of_others(path: Path) -> list[str]:
    """Return the lines where a module uses a `_private` name that it does not define itself."""
    tree = ast.parse(path.read_text())
    own = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    } | {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store)
    }

    def is_foreign(name: str) -> bool:
        is_private = name.startswith("_") and not name.startswith("__") and name != "_"
        return is_private and name not in own | DOCUMENTED

    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                continue
            case ast.Attribute(attr=name) if is_foreign(name):
                found.append(label(path, node.lineno))
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in FLOORS:
                found += [label(path, node.lineno) for each in names if is_foreign(each.name)]
    return found


def test_no_module_uses_a_private_name_of_another():
    assert [found for path in sources(*FLOORS) for found in private_names_of_others(path)] == []


def test_no_model_is_reached_through_an_instance():
    """`type(x).objects` hides an import from the check of the layers."""
    found = [
        label(path, node.lineno)
        for path in sources(*FLOORS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "objects"
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "type"
    ]
    assert found == []
