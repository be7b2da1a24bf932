"""The broker of a clinic without Redis: a folder that publishers may have left half a file in."""

from queue import Empty

import pytest
from kombu import Connection

import clinic.celery  # noqa: F401, the transport's name is registered there


@pytest.fixture
def channel(tmp_path):
    folder = str(tmp_path)
    options = {"data_folder_in": folder, "data_folder_out": folder, "polling_interval": 0.01}
    with Connection("folder://localhost", transport_options=options) as connection:
        yield connection.channel()


@pytest.mark.parametrize("content", [b"", b'{"body": "W1tdL'])
def test_what_a_killed_publisher_left_is_dropped_and_hides_nothing(channel, tmp_path, content):
    (tmp_path / "0_half.celery.msg").write_bytes(content)
    channel.queue_declare("celery")
    channel._put("celery", {"body": "whole"})
    with pytest.raises(Empty):
        channel._get("celery")
    assert channel._get("celery") == {"body": "whole"}
    assert list(tmp_path.iterdir()) == []


def test_a_message_reaches_whoever_declared_the_queue(channel):
    with channel.connection.client.SimpleQueue("celery") as queue:
        queue.put({"wake": "up"})
        message = queue.get(timeout=1)
    assert message.payload == {"wake": "up"}
