"""The state machine. A document's row, what storage and Read say, and the time go in; what to do next comes out.

Every status is set in this package and nowhere else. Nothing here reads or writes: the steps (submit.py, poll.py,
recover.py, tasks.py) carry out what is decided here. docs/reliability.md draws the states.

steps.py     what a decision returns, and which step a message is good for
submit.py    a version of a file that storage holds, and the answer to a POST
poll.py      the answer to a poll, and a stored result
ending.py    how a document waits, fails, and is finished
trouble.py   trouble with storage, errors of the app's own, messages from the poison queue
requests.py  what a person asks for by name
"""

from shared.decide.ending import fail, finished, may_still_be_written, reserve_for_cleanup, settled
from shared.decide.poll import Outputs, after_poll, after_result
from shared.decide.requests import forgotten, requested_again
from shared.decide.steps import Adopt, Claim, Later, Poll, Skip, Submit, Transition, next_step, rescheduled
from shared.decide.submit import SOURCE_DELETED, after_post, deferred, on_missing, on_unsafe_name, on_version
from shared.decide.trouble import on_own_error, on_poison, on_storage_trouble

__all__ = [
    "SOURCE_DELETED",
    "Adopt",
    "Claim",
    "Later",
    "Outputs",
    "Poll",
    "Skip",
    "Submit",
    "Transition",
    "after_poll",
    "after_post",
    "after_result",
    "deferred",
    "fail",
    "finished",
    "forgotten",
    "may_still_be_written",
    "next_step",
    "on_missing",
    "on_own_error",
    "on_poison",
    "on_storage_trouble",
    "on_unsafe_name",
    "on_version",
    "requested_again",
    "rescheduled",
    "reserve_for_cleanup",
    "settled",
]
