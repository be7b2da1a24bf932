"""`make mutate`: break the logic in one place at a time, and check that the nearest tests fail.

Each mutant is one small edit of one file. It runs in its own forked process, where an import hook
loads the edited module before the tests import it. A mutant is killed when its tests fail, crash
or run out of time; a survivor shows logic that no near test covers.

`make mutate ARGS=schedule/slots.py` runs one target. A run of all targets updates
`docs/mutation.md` and keeps the reasons that are written there.
"""

import ast
import gc
import importlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/mutation.md"
FLOOR = 0.85
PROCESSES = 2
SEED = 1
MAX_MEMORY = 2 << 30
# Slow to import, and independent of the project's settings: imported once, before the forks.
PRELOADED = (
    "django.test", "django.contrib.admin", "django.contrib.postgres.fields", "celery",
    "playwright.sync_api", "aiosmtpd.controller", "cryptography.fernet", "icalendar", "holidays",
    "time_machine", "regex", "crispy_forms.helper", "simple_history", "requests", "celery.app.base",
    "kombu.transport.redis", "prometheus_client", "xdist.plugin", "xdist.dsession", "anymail",
    "django.contrib.staticfiles.storage", "whitenoise.storage", "pytest_django.fixtures", "yaml",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Files with their nearest tests; with `sample`, that many mutants chosen at random."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int | None = None

    @property
    def name(self) -> str:
        return self.files[0]


TRIAGE = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("intake/rules/triage/*.py"))
TARGETS = (
    Target(("schedule/slots.py",), ("tests/schedule/test_slots.py",)),
    Target(
        ("booking/appointments/mail_schedule.py",),
        (
            "tests/booking/appointments/test_mail_schedule.py",
            "tests/booking/mails/test_visit_mails.py",
            "tests/booking/appointments/test_undo.py",
        ),
    ),
    Target(
        (*TRIAGE, "intake/rules/conditions.py", "intake/rules/patterns.py"),
        (
            "tests/intake/rules/test_triage_rules.py",
            "tests/intake/rules/test_triage.py",
            "tests/intake/rules/test_variables.py",
            "tests/intake/test_listing.py",
            "tests/intake/rules/test_findings.py",
        ),
    ),
    Target(
        ("clinic/mail/claims.py",),
        (
            "tests/clinic/mail/test_claims.py",
            "tests/clinic/mail/test_late_races.py",
            "tests/clinic/mail/test_outbox.py",
        ),
        sample=150,
    ),
    Target(
        ("clinic/security/access.py",),
        (
            "tests/clinic/security/test_access.py",
            "tests/clinic/security/test_links.py",
        ),
        sample=150,
    ),
)


@dataclass(frozen=True)
class Mutant:
    """One edit: the bytes from `start` to `end` of a file become `text`."""

    file: str
    line: int
    start: int
    end: int
    text: str

    @property
    def source(self) -> bytes:
        source = (ROOT / self.file).read_bytes()
        return source[: self.start] + self.text.encode() + source[self.end :]

    def __str__(self) -> str:
        """Return the first line of the edit, before and after."""
        source = (ROOT / self.file).read_bytes()
        before = source[source.rfind(b"\n", 0, self.start) + 1 : self.start]
        was = source[self.start : self.end].decode()
        return " ".join(f"{before.decode()}[{was} → {self.text}]".split())


OTHER_COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OTHER_ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OTHER_LEVELS = {
    "EMERGENCY": ("URGENT",),
    "URGENT": ("SOON", "EMERGENCY"),
    "SOON": ("ROUTINE", "URGENT"),
    "ROUTINE": ("SOON",),
}
NARROWING = {"filter", "exclude", "update", "get", "Q"}
TEXTS = {"_", "gettext", "ngettext", "pgettext"}


def edits(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """Yield each part to replace and its replacement; None removes it."""
    match node:
        case ast.Compare(left, ops, comparators):
            for number, operator in enumerate(ops):
                for other in OTHER_COMPARISONS[type(operator)]:
                    changed = [*ops[:number], other(), *ops[number + 1 :]]
                    yield node, ast.Compare(left, changed, comparators)
        case ast.BoolOp(op, values):
            yield node, ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(operand=operand):
            yield node, operand
        case ast.BinOp(left, op, right) if type(op) in OTHER_ARITHMETIC:
            yield node, ast.BinOp(left, OTHER_ARITHMETIC[type(op)](), right)
        case ast.AugAssign(target, op, value):
            if type(op) in OTHER_ARITHMETIC:
                yield node, ast.AugAssign(target, OTHER_ARITHMETIC[type(op)](), value)
            yield node, ast.Pass()
        case ast.Constant(value=bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield node, ast.Constant(value + 1)
            yield node, ast.Constant(value - 1)
        case ast.Attribute(value=ast.Name(id="Level"), attr=level):
            for other in OTHER_LEVELS.get(level, ()):
                yield node, ast.Attribute(ast.Name("Level"), other)
        case ast.keyword(arg="stops_running" | "strict_level", value=value):
            is_set = isinstance(value, ast.Attribute)
            yield value, ast.Constant(None) if is_set else ast.parse("Level.URGENT").body[0].value
        case ast.Return(value=value) if value and ast.unparse(value) != "None":
            yield node, ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield node, ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, ast.Pass()
        case ast.If(test=test) | ast.IfExp(test=test):
            yield test, ast.Constant(True)
            yield test, ast.Constant(False)
        case ast.comprehension(ifs=conditions):
            for condition in conditions:
                yield condition, ast.Constant(True)
                yield condition, ast.Constant(False)
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), keywords=keywords) if (
            name in NARROWING
        ):
            yield from ((keyword, None) for keyword in keywords if keyword.arg)
        case ast.Call(func=ast.Name(id="has" | "lacks"), args=[_item, *codes]):
            yield from ((code, None) for code in codes)
        case ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.List(elts=parts) if all(
            isinstance(part, ast.Constant | ast.Starred) for part in parts
        ):
            yield from ((part, None) for part in parts)


def is_left_alone(node: ast.AST) -> bool:
    """Whether a node is no logic: imports, texts, types, assertions, log lines, sources."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.TypeAlias():
            return True
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="sources"):
            return True
        case ast.Call(func=ast.Name(id=name)) if name in TEXTS:
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def logic(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, without those left alone, annotations and decorators."""
    if is_left_alone(node):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from logic(child)


def mutants(file: str) -> list[Mutant]:
    source = (ROOT / file).read_bytes()
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    found = {}
    for node in logic(ast.parse(source)):
        for part, other in edits(node):
            start = begins[part.lineno - 1] + part.col_offset
            end = begins[part.end_lineno - 1] + part.end_col_offset
            if other is None:
                # Remove the comma too: "(a, )" is a tuple, "(a, , b)" a syntax error.
                text, end = "", end + len(re.match(rb"\s*,?", source[end:])[0])
            else:
                text = ast.unparse(ast.fix_missing_locations(other))
                is_compound = isinstance(other, ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp)
                text = f"({text})" if is_compound else text
            mutant = Mutant(file, part.lineno, start, end, text)
            with suppress(SyntaxError):
                compile(mutant.source, file, "exec")
                found[start, end, text] = mutant
    return list(found.values())


class Edited(SourceFileLoader):
    """A finder and loader that replaces a module with its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        parts = Path(mutant.file).with_suffix("").parts
        self.mutant = mutant
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        super().__init__(name, str(ROOT / mutant.file))

    def find_spec(self, name: str, *_path: object) -> ModuleSpec | None:
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutant.source, self.path, "exec")


def start(tests: tuple[str, ...], mutant: Mutant | None, state: Path, seconds: int) -> int:
    """Run the tests in a forked process; return its id. Its files are in `state`."""
    if child := os.fork():
        return child
    status = 1
    try:
        signal.alarm(seconds)
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        tempfile.tempdir = str(state)
        os.environ["REUSED_DATABASE"] = str(state / "suite.sqlite3")
        if mutant:
            sys.meta_path.insert(0, Edited(mutant))
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
        options = ["-x", "-q", "--reuse-db", "-p", "no:cacheprovider"]
        # The first plugin runs slow garbage collections.
        options += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
        options += [
            "--hypothesis-profile=mutants",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]
        status = pytest.main([*options, *tests])
    finally:
        os._exit(status)


def survivors(target: Target, chosen: list[Mutant], database: Path, seconds: int) -> list[Mutant]:
    """Run each mutant, two at a time; return those that no test killed."""
    left, waiting, running = [], list(reversed(chosen)), {}
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            state = Path(tempfile.mkdtemp(prefix="mutant-"))
            shutil.copy(database, state)
            mutant = waiting.pop()
            running[start(target.tests, mutant, state, seconds)] = mutant, state
        child, status = os.wait()
        mutant, state = running.pop(child)
        shutil.rmtree(state, ignore_errors=True)
        if status == 0:
            left.append(mutant)
            print(f"  {mutant.file}:{mutant.line}  {mutant}", flush=True)
    return left


def run(target: Target) -> tuple[int, list[Mutant]]:
    """Return how many mutants of a target ran, and the survivors in the order of the file."""
    chosen = [mutant for file in target.files for mutant in mutants(file)]
    if target.sample and len(chosen) > target.sample:
        chosen = random.Random(SEED).sample(chosen, target.sample)
    print(f"{target.name}: {len(chosen)} mutants", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        # Compile unedited modules once, even with PYTHONDONTWRITEBYTECODE.
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        began = time.monotonic()
        _child, status = os.waitpid(start(target.tests, None, Path(folder), 600), 0)
        if status != 0:
            sys.exit(f"{target.name}: the tests fail without a mutant")
        database = Path(folder) / "suite.sqlite3"
        database.touch()  # Tests without a database create none.
        # A long limit: a timeout on a busy machine must not count as a kill.
        seconds = 30 + 5 * round(time.monotonic() - began)
        left = survivors(target, chosen, database, seconds)
    return len(chosen), sorted(left, key=lambda mutant: (mutant.file, mutant.start))


def write_page(results: dict[str, tuple[int, list[Mutant]]]) -> None:
    """Update the tables of the page. A survivor keeps its written reason."""
    head, _heading, old = PAGE.read_text().partition("## Killed")
    reasons = dict(re.findall(r"^\| `\S+?:\d+` \| (`.+`) \| (.*) \|$", old, re.MULTILINE))
    lines = ["## Killed", "", "| code | mutants | killed |", "|---|---|---|"]
    for name, (total, left) in results.items():
        lines.append(f"| `{name}` | {total} | {1 - len(left) / total:.1%} |")
    lines += ["", "## Survivors", "", "| where | change | why it may live |", "|---|---|---|"]
    for _total, left in results.values():
        for mutant in left:
            change = f"`{str(mutant).replace('|', '¦')}`"
            lines.append(
                f"| `{mutant.file}:{mutant.line}` | {change} | {reasons.get(change, '?')} |"
            )
    PAGE.write_text(head + "\n".join(lines) + "\n")


def main() -> int:
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=200,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    chosen = [target for target in TARGETS if not sys.argv[1:] or target.name in sys.argv[1:]]
    results = {target.name: run(target) for target in chosen}
    shares = {name: 1 - len(left) / total for name, (total, left) in results.items()}
    for name, share in shares.items():
        print(f"{share:.0%} killed  {name}")
    if len(chosen) == len(TARGETS):
        write_page(results)
    return int(min(shares.values()) < FLOOR)


if __name__ == "__main__":
    sys.exit(main())
