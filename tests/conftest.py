"""Both databases in one command, and real servers for the tests that need one.

`pytest` runs on the database of `DATABASE_URL` (SQLite when unset). `pytest --both-databases` runs
the suite in parallel processes: tests without a database once, tests with one on SQLite and again
on a throw-away PostgreSQL, except those marked `once`. There is one report, with `[sqlite]` or
`[postgres]` before each failure.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import override_settings
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from clinic.mail import outbox
from tests import throwaway
from tests.environment import POSTGRES, PURE, SQLITE
from tests.factories import NOW
from tests.smtp import SmtpSink
from tests.throwaway import Dovecot, NotInstalled, Postgres, Redis

ROOT = Path(__file__).parents[1]
SOAK = os.environ.get("SOAK") == "1"

hypothesis.settings.register_profile("suite", max_examples=500, deadline=None)
hypothesis.settings.register_profile("soak", max_examples=5000, deadline=None)
hypothesis.settings.load_profile("soak" if SOAK else "suite")

cluster_key = pytest.StashKey[Postgres]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--both-databases",
        action="store_true",
        help="run database tests on SQLite and, when it is installed, on PostgreSQL",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("both_databases") or hasattr(config, "workerinput"):
        return
    if (url := _named_postgres_url()) is None:
        # On SIGTERM, stop the cluster too, as on Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            cluster = config.stash[cluster_key] = Postgres().__enter__()
        except NotInstalled:
            pass  # the tests of `postgres_url` report it, as a skip or as a failure
        else:
            url = cluster.url
    workers = [PURE, SQLITE]
    if url:
        os.environ["TEST_POSTGRES_URL"] = url  # read by tests/environment.py in the workers
        workers.append(POSTGRES)
    config.option.dist = "each"
    config.option.tx = [f"popen//id={name}" for name in workers]


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.getoption("both_databases"):
        return None
    found = POSTGRES in [spec.partition("id=")[2] for spec in config.option.tx]
    postgres = "PostgreSQL" if found else "not on PostgreSQL (apt-get install postgresql)"
    return f"database tests: on SQLite, {postgres}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if cluster := config.stash.get(cluster_key, None):
        cluster.__exit__()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    on_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    other_engine = "sqlite" if on_postgres else "postgresql"
    kept, deselected = [], []
    for item in items:
        wanted = item.get_closest_marker(other_engine) is None
        if worker in (PURE, SQLITE, POSTGRES):
            wanted = wanted and _uses_database(item) == (worker != PURE)
        once = item.get_closest_marker("once")
        if once and worker in (SQLITE, POSTGRES) and "TEST_POSTGRES_URL" in os.environ:
            wanted = wanted and worker == once.kwargs["on"]
        (kept if wanted else deselected).append(item)
    config.hook.pytest_deselected(items=deselected)
    items[:] = kept


def _uses_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def _named_postgres_url() -> str | None:
    """Return the URL of the cluster that this run started, or of the configured server."""
    for name in ("TEST_POSTGRES_URL", "DATABASE_URL"):
        if (url := os.environ.get(name, "")).startswith("postgres"):
            return url
    return None


def _unavailable(error: NotInstalled) -> None:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1: {error}")
    pytest.skip(str(error))


@pytest.fixture(scope="session", autouse=True)
def uncollected_static_files() -> Iterator[None]:
    """Serve static files from the repository; only a deployment collects them."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES=settings.STORAGES | {"staticfiles": plain},
        WHITENOISE_AUTOREFRESH=True,
        WHITENOISE_USE_FINDERS=True,
    ):
        yield


@pytest.fixture(scope="session")
def collected_static_files() -> None:
    """Collect the static files for separate server processes, into the suite's state folder."""
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(command, cwd=settings.BASE_DIR, check=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix
) -> None:
    """Keep the SQLite test database in a file: threads and other processes must share it.

    With `--reuse-db` the file is kept after the run.
    """
    if connection.vendor == "sqlite":
        path = settings.STATE_DIR / "suite.sqlite3"
        if request.config.getvalue("reuse_db"):
            path = Path(os.environ.get("REUSED_DATABASE", ROOT / "var/tests/suite.sqlite3"))
            path.parent.mkdir(parents=True, exist_ok=True)
        connection.settings_dict["TEST"]["NAME"] = path


@pytest.fixture
def frozen_clock() -> Iterator[None]:
    """Stop the clock at `tests.factories.NOW`."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own_mail_kinds(db, monkeypatch) -> None:
    """Let the test register its own kinds of mail; they are removed after it."""
    monkeypatch.setattr(outbox, "_composers", dict(outbox.registered()))


@pytest.fixture
def process_env(transactional_db) -> dict[str, str]:
    """The environment for a child process (a server, a worker) that uses this test's rows."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return {**os.environ, "DATABASE_URL": url}


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The `DATABASE_URL` of a server on which the test may create its own databases."""
    if url := _named_postgres_url():
        yield url
        return
    try:
        cluster = Postgres()
    except NotInstalled as error:
        _unavailable(error)
    with cluster:
        yield cluster.url


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis server that the test may flush, stop and start."""
    try:
        server = Redis()
    except NotInstalled as error:
        _unavailable(error)
    with server:
        yield server


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """A `REDIS_URL`: the one in the environment, or a throw-away server's."""
    return os.environ.get("REDIS_URL") or request.getfixturevalue("redis").url


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """An IMAP server with one mailbox; its mails are kept for the whole module."""
    try:
        server = Dovecot()
    except NotInstalled as error:
        _unavailable(error)
    with server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Prefer `open_page`, which also fails on errors that the browser reports."""
    try:
        path = throwaway.chromium()
    except NotInstalled as error:
        _unavailable(error)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's sync API keeps an event loop running in this thread, which Django takes for
        # an async view touching the ORM.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """The browser's errors so far in this test; `open_page` fails if any is left at the end."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """`open_page(width=390, language="en", **context_options)`: a page in its own session.

    At the end the test fails on any script error, content-policy violation, failed subresource or
    response of 500 and above. The test itself checks documents that answer 4xx.
    """

    def on_console(message: ConsoleMessage) -> None:
        # on_response checks failed loads, because it knows the resource type.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"console: {message.text}")

    def on_response(response: Response) -> None:
        is_document = response.request.resource_type in ("document", "fetch", "xhr")
        if response.status >= (500 if is_document else 400):
            complaints.append(f"{response.status} {response.url}")

    def open_page(
        *, width: int = 390, height: int = 844, language: str = "en", **context_options
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, **context_options
        )
        page = context.new_page()
        page.on("console", on_console)
        page.on("response", on_response)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        return page

    yield open_page
    for context in browser.contexts:
        # A form saves itself when the page closes: prevent this while the test's rows are deleted.
        context.set_offline(True)
        context.close()
    assert complaints == []
