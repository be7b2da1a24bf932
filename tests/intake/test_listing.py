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


def test_a_clinician_reads_words_and_no_program():
    conditions = listed().split("\n## What patients are told")[0].split("\n## Triage")[1]
    link_ids = {
        link_id for rule in [*RULES.values(), *FINDINGS.values()] for link_id in rule.evidence
    }
    names = {
        *(link_id for link_id in link_ids if "-" in link_id),
        *(row.name for row in OURS.rows()),
    }
    assert not [name for name in ("`", "_", "None", "True", *names) if name in conditions]
    assert "- When new or getting worse in the last 2 weeks: saddle numbness, " in conditions
    assert "  - worst pain in the last 7 days: 7 of 10 or more\n" in conditions


def test_every_rule_finding_and_threshold_is_listed_with_its_condition():
    text = listed()
    for rule_id in [*RULES, *FINDINGS]:
        assert f"### {rule_id} · " in text
    assert text.count("\n- When") == len(RULES) + len(FINDINGS)
    for row in OURS.rows():
        assert f"| {row.name} | {row.value:g} |" in text
