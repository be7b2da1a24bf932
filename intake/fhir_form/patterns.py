"""Regular expressions from outside, in bounded time and memory.

A pattern is checked when its questionnaire is read. Matching stops after a time limit; an answer
that cannot be matched within it does not fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import regex

MAX_LENGTH = 500
# Limits the product of nested counts: ((a{1000}){1000}){1000} would use up the memory.
MAX_REPEATS = 100_000
# Processor time, so that a busy machine accepts what an idle one accepts.
SECONDS = 0.05
# Recursion, approximate matching and the like: what other readers of FHIR do not have either.
_KNOWN_GROUPS = regex.compile(r"\(\?(?!:|=|!|<=|<!|i\))")
_COUNT = regex.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
_TOKEN = regex.compile(
    r"(?P<open>\((?:\?[:=!i]|\?<[=!])?)|(?P<close>\))|(?P<or>\|)|(?P<anchor>[\^$]|\\[bB])"
    r"|(?P<atom>\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{\w+\}|\\.|[^()|])",
    regex.DOTALL,
)
_QUANTIFIER = regex.compile(r"(?P<endless>[*+]|\{\d+,\})|(?P<optional>\?|\{0,\d*\})|\{\d+(,\d+)?\}")
_BRACES = regex.compile(r"(?<!\\)\{|\\[pPuxN]\{")


class UnsafePattern(ValueError):
    """A pattern that is not run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that a whole answer has to fit."""

    source: str

    @classmethod
    def read(cls, source: str) -> Pattern:
        """Raises UnsafePattern if it does not compile, or is not safe to run."""
        if len(source) > MAX_LENGTH:
            raise UnsafePattern(f"Up to {MAX_LENGTH} characters.")
        if _KNOWN_GROUPS.search(source):
            raise UnsafePattern("A kind of group that is not portable.")
        counts = [max(int(low), int(high or 0)) for low, high in _COUNT.findall(source)]
        if math.prod(max(count, 1) for count in counts) > MAX_REPEATS:
            raise UnsafePattern("Its counts multiply to too many.")
        for brace in _BRACES.finditer(source):
            is_escape = brace[0] != "{"
            if not is_escape and not _COUNT.match(source, brace.start()):
                raise UnsafePattern("A brace that is not a count.")
        try:
            _compiled(source)
        except (regex.error, ValueError, RecursionError, OverflowError) as error:
            raise UnsafePattern("Not a regular expression.") from error
        if _repeats_repeats(source):
            raise UnsafePattern("A repeat of nothing but a repeat, such as (a+)+.")
        pattern = cls(source)
        if any(pattern._takes_long(text) for text in _lures(source)):
            raise UnsafePattern("It takes too long on some answers.")
        return pattern

    def fits(self, text: str) -> bool:
        try:
            return _compiled(self.source).fullmatch(text, timeout=SECONDS) is not None
        except TimeoutError:
            return False

    def _takes_long(self, text: str) -> bool:
        try:
            _compiled(self.source).fullmatch(text, timeout=SECONDS)
        except TimeoutError:
            return True
        return False


@lru_cache(maxsize=256)
def _compiled(source: str) -> regex.Pattern[str]:
    return regex.compile(source)


def _lures(source: str) -> list[str]:
    """Sample texts on which a pattern with ambiguous repeats backtracks most."""
    own = [character for character in dict.fromkeys(source) if character.isalnum()][:10]
    return [character * 60 + "\x01" for character in dict.fromkeys([*own, "a", "0", " "])]


@dataclass
class _Branch:
    """One alternative of a group: whether it has an unlimited repeat and nothing else required."""

    has_endless: bool = False
    has_fixed: bool = False
    is_ambiguous: bool = False

    def end(self) -> None:
        self.is_ambiguous |= self.has_endless and not self.has_fixed
        self.has_endless = self.has_fixed = False


def _repeats_repeats(source: str) -> bool:
    """Whether an unlimited repeat contains another: a text then splits in too many ways to try.

    Our engine often avoids the backtracking; a system that we export to may not.
    """
    stack, position = [_Branch()], 0
    while token := _TOKEN.match(source, position):
        position = token.end()
        match token.lastgroup:
            case "open":
                stack.append(_Branch())
                continue
            case "or":
                stack[-1].end()
                continue
            case "anchor":
                continue
        group = stack.pop() if token.lastgroup == "close" and len(stack) > 1 else _Branch()
        group.end()
        quantifier = _QUANTIFIER.match(source, position)
        how = quantifier.lastgroup if quantifier else ""
        if quantifier:
            position = quantifier.end() + source[quantifier.end() : quantifier.end() + 1].count("?")
        if how == "endless" and group.is_ambiguous:
            return True
        if how == "endless" or group.is_ambiguous:
            stack[-1].has_endless = True
        elif how != "optional":
            stack[-1].has_fixed = True
    return False
