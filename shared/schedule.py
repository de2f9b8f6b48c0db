"""When the next step is due: pure arithmetic over attempts, Retry-After and a random number."""

import math
from random import Random

FIRST_POLL_DELAY = 2
"""Seconds. A one-page document takes Read 1.2 to 1.9 s (clemenssiebler.com, "Using Azure Read API for processing
many documents at scale"); a visibility timeout is in whole seconds, so this is the soonest poll that finds it."""

LONGEST_POLL_DELAY = 60
LONGEST_WAIT = 900
RESULT_LASTS = 24 * 3600
"""Seconds for which Document Intelligence keeps a result; Computer Vision keeps it for twice as long."""
LONGEST_DELAY = 6 * 24 * 3600
"""Seconds; a queue message can be hidden for seven days at most."""


def poll_delay(polls: int, retry_after: float | None) -> int:
    """Seconds to the next poll, after ``polls`` of them: 2, 2, 4, 8 … 60, and never less than Retry-After."""
    ours = min(FIRST_POLL_DELAY * 2 ** max(0, min(polls, 10) - 1), LONGEST_POLL_DELAY)
    return _whole(max(ours, retry_after or 0))


def wait_delay(attempts: int, retry_after: float | None, random: Random) -> int:
    """Seconds to the next attempt, after ``attempts`` that were refused: growing to 15 minutes, with jitter.

    The jitter is added to Retry-After: documents that were refused together must not come back together.
    """
    ours = min(2.0 * 2 ** min(attempts, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)
    return _whole((retry_after or 0) + ours if retry_after else ours)


def while_result_lasts(delay: int, age: float) -> int:
    """The delay of a poll, cut so that it comes well before a result can expire, ``age`` seconds after the 202.

    A Retry-After of days, as an exhausted quota or a wrong clock gives it, would lose what is paid.
    """
    return min(delay, max(int(RESULT_LASTS * 0.9 - age), LONGEST_WAIT))


def _whole(seconds: float) -> int:
    return int(min(max(math.ceil(seconds), 1), LONGEST_DELAY))
