"""One composed mail: its recipient and words, independent of how it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Mail:
    """``method`` is the iTIP method of ``calendar``, if there is one."""

    to: str
    subject: str
    text: str
    html: str
    sender_name: str = ""
    reply_to: str = ""
    calendar: str = ""
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
