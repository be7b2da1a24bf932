from pathlib import Path

import pytest

from tests.environment import SQLITE

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a browser makes of a page is the same whichever engine the rows come from."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.once(on=SQLITE))
