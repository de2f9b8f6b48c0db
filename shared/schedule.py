"""When the next step is due: pure arithmetic over attempts, Retry-After and a random number."""

import math
from random import Random

FIRST_POLL_DELAY = 2
"""Seconds. A one-page document takes Read 1.2 to 1.9 s (clemenssiebler.com, "Using Azure Read API for processing
many documents at scale"); a visibility timeout is in whole seconds, so this is the soonest poll that finds it."""

LONGEST_POLL_DELAY = 60
"""Seconds, where READ_LONGEST_POLL_DELAY is not set."""

GROWTH = 6
"""The delay grows by a sixth of the time that has passed. So half of the slow documents wait less than a seventh longer
than Read took, and a document that takes Read a minute is polled eleven times."""

LONGEST_WAIT = 900
RESULT_LASTS = 24 * 3600
"""Seconds for which Document Intelligence keeps a result. Computer Vision keeps it twice as long."""
LONGEST_DELAY = 6 * 24 * 3600
"""Seconds. A queue message can be hidden for seven days at most."""


def poll_delay(waited: float, retry_after: float | None, longest: float = LONGEST_POLL_DELAY) -> int:
    """Seconds to the next poll, ``waited`` seconds after Read took the document; never less than Retry-After.

    2 s at first; after 30 s, 7 s; after 6 minutes and later, ``longest``.
    """
    ours = min(FIRST_POLL_DELAY + max(waited, 0) / GROWTH, longest)
    return _whole(max(ours, retry_after or 0))


def wait_delay(attempts: int, retry_after: float | None, random: Random) -> int:
    """Seconds to the next attempt, after ``attempts`` in a row that failed: up to 15 minutes, with jitter.

    The jitter is added to Retry-After, so that documents that were refused together do not come back together.
    """
    ours = min(2.0 * 2 ** min(attempts, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)
    return _whole((retry_after or 0) + ours)


def while_result_lasts(delay: int, age: float) -> int:
    """A poll's delay, cut so that the poll comes well before the result can expire, ``age`` seconds after the 202.

    A Retry-After of days, from an exhausted quota or a wrong clock, would lose a paid result.
    """
    return min(delay, max(int(RESULT_LASTS * 0.9 - age), LONGEST_WAIT))


def _whole(seconds: float) -> int:
    return int(min(max(math.ceil(seconds), 1), LONGEST_DELAY))
