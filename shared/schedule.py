"""When the next step is due: pure arithmetic over attempts, Read's own word and a random number."""

import math
from random import Random

FIRST_POLL_DELAY = 2
"""Seconds. A one-page document takes Read 1.2 to 1.9 s (clemenssiebler.com, "Using Azure Read API for processing
many documents at scale"); a visibility timeout is in whole seconds, so this is the soonest look that finds it."""

LONGEST_POLL_DELAY = 60
LONGEST_WAIT = 900
LONGEST_DELAY = 6 * 24 * 3600
"""Seconds; a queue message can be hidden for seven days at most."""


def poll_delay(polls: int, retry_after: float | None) -> int:
    """Seconds to the next look, after ``looks`` of them: 2, 2, 4, 8 … 60, and never before Read's own word."""
    ours = min(FIRST_POLL_DELAY * 2 ** max(0, min(polls, 10) - 1), LONGEST_POLL_DELAY)
    return _whole(max(ours, retry_after or 0))


def wait_delay(attempts: int, retry_after: float | None, random: Random) -> int:
    """Seconds to the next attempt, after ``attempts`` that Read put off: growing to 15 minutes, jittered.

    The jitter comes on top of Read's own word: all that were refused together must not come back together.
    """
    ours = min(2.0 * 2 ** min(attempts, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)
    return _whole((retry_after or 0) + ours if retry_after else ours)


def _whole(seconds: float) -> int:
    return int(min(max(math.ceil(seconds), 1), LONGEST_DELAY))
