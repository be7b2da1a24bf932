from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from intake.rules.findings import FINDINGS
from intake.rules.thresholds import OURS
from intake.rules.triage import RULES


def listed():
    out = StringIO()
    call_command("list_rules", stdout=out)
    return out.getvalue()


def test_the_committed_listing_is_what_the_code_says():
    committed = Path(settings.BASE_DIR, "docs", "rules.md").read_text()
    assert committed == listed(), "run: manage.py list_rules > docs/rules.md"


def test_every_rule_finding_and_threshold_is_listed_with_its_condition():
    text = listed()
    for rule_id in [*RULES, *FINDINGS]:
        assert f"### {rule_id} · " in text
    assert text.count("- When:") == len(RULES) + len(FINDINGS)
    for row in OURS.rows():
        assert f"| {row.name} | {row.value:g} |" in text
