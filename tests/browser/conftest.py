from pathlib import Path

import pytest

from tests.environment import SQLITE

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests on one database only: pages do not depend on it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.once(on=SQLITE))
