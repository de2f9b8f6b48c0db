"""The state machine: a document's row, what storage and Read say, and the clock go in; what to do next comes out.

Every status is set in this package and nowhere else. Nothing here reads or writes: the steps (submit.py, poll.py,
recover.py, tasks.py) carry out what is decided here. docs/reliability.md draws the states.

steps.py     what a decision returns, and which step a message is good for
submit.py    a version of a file that storage holds, and the answer to a POST
poll.py      the answer to a poll, and a stored result
ending.py    how a document waits, fails, and is finished
trouble.py   storage in trouble, errors of our own, messages that were lost or came back from poison
requests.py  what a person asks for by name
"""

from shared.decide.ending import (
    fail,
    finished,
    may_still_be_written,
    reserve_for_cleanup,
    settled,
    slow_writers_until,
    wait,
)
from shared.decide.poll import (
    MOST_RESUBMITS,
    NOT_FOUND_AGAIN_AFTER,
    RESULT_KEPT,
    Outputs,
    adopted_outputs,
    after_poll,
    after_result,
    deferred_poll,
)
from shared.decide.requests import forgotten, requested_again
from shared.decide.steps import Adopt, Claim, Later, Poll, Skip, Step, Submit, Transition, is_overdue, next_step
from shared.decide.submit import (
    LOST_ANSWER_WAIT,
    MOST_LOST_ANSWERS,
    MOST_SERVER_ERRORS,
    SOURCE_DELETED,
    after_post,
    deferred,
    on_missing,
    on_unsafe_name,
    on_version,
)
from shared.decide.trouble import MOST_OWN_ERRORS, on_own_error, on_poison, on_storage_trouble, requeued

__all__ = [
    "LOST_ANSWER_WAIT",
    "MOST_LOST_ANSWERS",
    "MOST_OWN_ERRORS",
    "MOST_RESUBMITS",
    "MOST_SERVER_ERRORS",
    "NOT_FOUND_AGAIN_AFTER",
    "RESULT_KEPT",
    "SOURCE_DELETED",
    "Adopt",
    "Claim",
    "Later",
    "Outputs",
    "Poll",
    "Skip",
    "Step",
    "Submit",
    "Transition",
    "adopted_outputs",
    "after_poll",
    "after_post",
    "after_result",
    "deferred",
    "deferred_poll",
    "fail",
    "finished",
    "forgotten",
    "is_overdue",
    "may_still_be_written",
    "next_step",
    "on_missing",
    "on_own_error",
    "on_poison",
    "on_storage_trouble",
    "on_unsafe_name",
    "on_version",
    "requested_again",
    "requeued",
    "reserve_for_cleanup",
    "settled",
    "slow_writers_until",
    "wait",
]
