"""Each known way for such systems to fail is built in on purpose, and the simulation finds it.

A bug replaces one decision, or one effect. The schedules are short ones that give it an occasion; without the bug,
they keep every promise.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from azure.core.exceptions import AzureError

import shared.advance
from shared import carry_out, decide, recover
from shared.advance import advance_message
from shared.assembly import Services
from shared.decide import ending, steps
from shared.decide import poll as decide_poll
from shared.decide import submit as decide_submit
from shared.document import Document, Status
from shared.message import Message
from shared.outputs import store
from shared.poll import poll
from shared.quota.limiter import RateLimiter
from shared.read.answers import AnswerLost, Gone, Rejected, Retryable, Running, SubmitAnswer
from shared.read.client import Body, ReadClient
from shared.schedule import wait_delay
from shared.storage import documents as documents_table
from shared.storage.documents import Documents
from shared.storage.fence import Fence
from shared.storage.lines import Lines
from shared.storage.outputs import Upload
from shared.submit import submit
from simulation import world
from simulation.read import Troubles
from simulation.world import Plan, live

BuildIn = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Bug:
    """A bug, the schedules that trigger it, and the promise that it breaks."""

    build_in: BuildIn
    promise: str
    plan: Plan
    schedules: int


BUGS: list[Bug] = []


def bug(promise: str, plan: Plan, schedules: int = 20) -> Callable[[BuildIn], BuildIn]:
    """Register a bug. ``promise`` is a regular expression for the simulation's report."""

    def register(build_in: BuildIn) -> BuildIn:
        BUGS.append(Bug(build_in, promise, plan, schedules))
        return build_in

    return register


every_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.build_in.__name__)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("shared").setLevel(logging.CRITICAL)


SLOW_WORKERS = Plan(files=1, versions=3, uploads_within=40, deletes=0, interleave=0.1)


# Submitting


@bug("was paid", Plan(versions=1, deletes=0, events_doubled=1, read=Troubles(slow=1)), schedules=4)
def a_second_event_submits_again(patch: pytest.MonkeyPatch) -> None:
    original = decide.on_version

    def on_version(document: Document | None, *args: Any, **options: Any) -> Any:
        if document is not None:
            document = document.evolve(source_etag=None, content_md5=None)
        return original(document, *args, **options)

    patch.setattr(decide, "on_version", on_version)


@bug("was paid", replace(SLOW_WORKERS, versions=1, events_doubled=1))
def a_claim_holds_nobody_off(patch: pytest.MonkeyPatch) -> None:
    always = lambda document, _: not document.status.final  # noqa: E731 - patched in two places
    for module in (steps, decide_submit):
        patch.setattr(module, "is_overdue", always)


@bug("has not ended: submitting", Plan(deletes=0, crash=0.05))
def a_claim_has_no_deadline(patch: pytest.MonkeyPatch) -> None:
    original = steps.is_overdue
    for module in (steps, decide_submit):
        patch.setattr(
            module,
            "is_overdue",
            lambda document, now: document.status is not Status.SUBMITTING and original(document, now),
        )


@bug("counts . submits, and Read .", Plan(versions=1, deletes=0, read=Troubles(answer_lost=0.5)))
def the_client_repeats_a_post_that_was_not_answered(patch: pytest.MonkeyPatch) -> None:
    original = ReadClient.submit

    class Again(BytesIO):
        def __len__(self) -> int:
            return self.getbuffer().nbytes

    def submit_twice(self: ReadClient, body: Body, options: Any) -> SubmitAnswer:
        content = body.read()
        answer = original(self, Again(content), options)
        return original(self, Again(content), options) if isinstance(answer, AnswerLost) else answer

    patch.setattr(ReadClient, "submit", submit_twice)


@bug("counts . submits, and Read .", Plan(versions=1, deletes=0, read=Troubles(answer_lost=0.5)))
def what_may_have_been_paid_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    original = decide.after_post

    def after_post(document: Document, answer: Any, *others: Any) -> decide.Transition:
        if isinstance(answer, AnswerLost):
            document = document.evolve(submits=document.submits - 1)
        return original(document, answer, *others)

    patch.setattr(decide, "after_post", after_post)


@bug("was paid .* times", Plan(versions=1, deletes=0, read=Troubles(answer_lost=1)), schedules=3)
def what_may_have_been_paid_is_tried_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide_submit, "MOST_LOST_ANSWERS", 99)


@bug("shows another version's text", Plan(versions=1, deletes=0, read=Troubles(answer_lost=0.5)))
def a_post_is_repeated_with_a_body_that_has_been_read(patch: pytest.MonkeyPatch) -> None:
    original = ReadClient.submit

    def submit_twice(self: ReadClient, body: Body, options: Any) -> SubmitAnswer:
        answer = original(self, body, options)
        return original(self, body, options) if isinstance(answer, AnswerLost) else answer

    patch.setattr(ReadClient, "submit", submit_twice)


@bug("was paid", Plan(versions=3, deletes=0, same=1, uploads_within=600))
def the_same_content_is_paid_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide_submit, "_is_same_content", lambda *_: False)


@bug("failed for nothing: Throttled", Plan(read=Troubles(throttled=0.5)))
def throttling_is_a_failure(patch: pytest.MonkeyPatch) -> None:
    original = decide.after_post

    def after_post(document: Document, answer: Any, now: datetime, random: Any) -> decide.Transition:
        if isinstance(answer, Retryable):
            return decide.Transition(decide.fail(document, answer.code, answer.message, now))
        return original(document, answer, now, random)

    patch.setattr(decide, "after_post", after_post)


@bug("too early", Plan(deletes=0, read=Troubles(throttled=0.5)))
def retry_after_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RateLimiter, "throttled", lambda *_: None)
    patch.setattr(ending, "wait_delay", lambda attempts, _, random: wait_delay(attempts, None, random))


@bug(
    "Read was called .* times",
    Plan(files=1, versions=1, deletes=0, read=Troubles(throttled=1), troubled_for=timedelta(hours=3)),
    schedules=2,
)
def refusals_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "wait_delay", lambda _, retry_after, random: wait_delay(0, retry_after, random))


# Polling


def after_poll(
    patch: pytest.MonkeyPatch, decided: Callable[[Document, Any, datetime], decide.Transition | None]
) -> None:
    """Decide some answers to a poll differently."""
    original = decide.after_poll

    def otherwise(document: Document, answer: Any, now: datetime, *others: Any) -> decide.Transition:
        return decided(document, answer, now) or original(document, answer, now, *others)

    patch.setattr(decide, "after_poll", otherwise)


def submit_again(document: Document, now: datetime) -> decide.Transition:
    return decide.Transition(document.evolve(status=Status.WAITING, operation_url=None, due_at=now), 1)


@bug("was paid", Plan(read=Troubles(slow=1)), schedules=4)
def an_operation_that_is_not_ready_is_submitted_again(patch: pytest.MonkeyPatch) -> None:
    after_poll(
        patch,
        lambda document, answer, now: (
            submit_again(document, now) if isinstance(answer, Running) and document.submits < 10 else None
        ),
    )


@bug("was paid", Plan(read=Troubles(fails=0.5)))
def an_operation_that_failed_is_submitted_again(patch: pytest.MonkeyPatch) -> None:
    after_poll(
        patch,
        lambda document, answer, now: submit_again(document, now) if isinstance(answer, Rejected) else None,
    )


@bug("was paid", Plan(read=Troubles(unknown_at_first=0.5)))
def the_first_404_on_an_operation_is_believed(patch: pytest.MonkeyPatch) -> None:
    after_poll(
        patch,
        lambda document, answer, now: submit_again(document, now) if isinstance(answer, Gone) else None,
    )


@bug("was paid .* times", Plan(versions=1, deletes=0, read=Troubles(expires=1)), schedules=3)
def an_operation_that_expires_is_submitted_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide_poll, "MOST_RESUBMITS", 99)


@bug("was paid", Plan(deletes=0))
def a_poll_submits_too(patch: pytest.MonkeyPatch) -> None:
    def submit_and_look(services: Services, message: Message, document: Document) -> None:
        if document.submits < 10:  # otherwise it would not come to rest
            waiting = document.evolve(status=Status.WAITING, operation_url=None, due_at=services.now())
            waiting = services.documents.write(waiting, document)
            submit(services, Message.about(waiting), waiting)
        submitted = services.documents.get(document.name)
        if submitted and submitted.operation_url:
            poll(services, message, submitted)

    patch.setattr(shared.advance, "poll", submit_and_look)


@bug("met an error", Plan(deletes=0, read=Troubles(slow=1)), schedules=4)
def a_function_raises_to_wait(patch: pytest.MonkeyPatch) -> None:
    def decided(document: Document, answer: Any, _: datetime) -> None:
        if isinstance(answer, Running):
            raise RuntimeError(f"{document.name} is not ready")

    after_poll(patch, decided)


@bug("failed for nothing: OperationTimedOut", Plan(deletes=0, read=Troubles(slow=1)), schedules=4)
def a_paid_operation_is_given_up_after_five_looks(patch: pytest.MonkeyPatch) -> None:
    after_poll(
        patch,
        lambda document, answer, now: (
            decide.Transition(decide.fail(document, "OperationTimedOut", "", now))
            if isinstance(answer, Running) and document.polls >= 5
            else None
        ),
    )


@bug("never comes to rest|has not ended", Plan(files=1, versions=1, deletes=0, read=Troubles(never=1)), schedules=1)
def an_operation_that_never_ends_is_polled_for_ever(patch: pytest.MonkeyPatch) -> None:
    original = decide.after_poll
    patch.setattr(
        decide,
        "after_poll",
        lambda document, answer, now, random, settings: original(
            document, answer, now, random, replace(settings, give_up_after=timedelta(days=9999))
        ),
    )


@bug(
    "too early",
    Plan(deletes=0, messages_doubled=0.3, read=Troubles(slow=1), troubled_for=timedelta(minutes=1)),
    schedules=5,
)
def each_message_starts_a_chain_of_polls(patch: pytest.MonkeyPatch) -> None:
    original = decide.next_step

    def next_step(document: Document | None, message: Message, now: datetime) -> Any:
        if document is not None and document.status is Status.READING:
            return decide.Poll()
        return original(document, message, now)

    patch.setattr(decide, "next_step", next_step)


# Finishing


@bug("lines (are not|have no)", Plan(versions=1, deletes=0, crash=0.03), schedules=60)
def success_is_told_before_the_lines_are_there(patch: pytest.MonkeyPatch) -> None:
    write_lines, write_row = Lines.write, Documents.write
    postponed: list[tuple[Any, ...]] = []

    def postpone(*arguments: Any) -> None:
        postponed.append((*arguments[:-1], list(arguments[-1])))

    def row_first(self: Documents, *arguments: Any, **options: Any) -> Document:
        lines, postponed[:] = postponed[:], []
        written = write_row(self, *arguments, **options)
        for arguments_of_lines in lines:
            write_lines(*arguments_of_lines)
        return written

    patch.setattr(Lines, "write", postpone)
    patch.setattr(Documents, "write", row_first)


@bug("lines are not its operation's", Plan(files=1, versions=3, deletes=0))
def lines_of_an_older_version_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lines, "_remove", lambda *_: None)


@bug("lines are not its operation's", Plan(files=2, versions=3, deletes=0))
def what_begins_with_a_name_is_taken_for_its_own(patch: pytest.MonkeyPatch) -> None:
    original = Lines._remove

    def remove(self: Lines, key: str, *others: Any) -> None:
        original(self, key, *others)
        for row in self._client.list_entities():
            if row["PartitionKey"].startswith(f"{key}-"):
                self._client.delete_entity(row)

    patch.setattr(Lines, "_remove", remove)


@bug("(JSON is|pages are)", Plan(files=2, versions=1, deletes=0))
def outputs_are_named_without_the_extension(patch: pytest.MonkeyPatch) -> None:
    for module in (carry_out, store):
        patch.setattr(module, "output_name", lambda name, extension: name.partition(".")[0] + extension)


@bug("JSON is", SLOW_WORKERS, schedules=200)
def json_is_written_over_whatever_is_there(patch: pytest.MonkeyPatch) -> None:
    original = Upload._write
    patch.setattr(Upload, "_write", lambda self, _: original(self, {}))


@bug("(lines|JSON|pages) (are|is)", SLOW_WORKERS, schedules=200)
def a_slow_writer_does_not_look_whose_document_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        store,
        "fence_of",
        lambda _, document: Fence(document.source_etag or "", document.operation_id, lambda: True),
    )


@bug("has (lines|an output)", Plan(files=1, versions=3, deletes=0, empty=0.5), schedules=60)
def an_older_version_is_not_cleared_when_the_newer_one_fails(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(carry_out, "clear_outputs", lambda *_: None)


@bug("has (lines|an output)", replace(SLOW_WORKERS, empty=0.5), schedules=200)
def nobody_clears_after_a_slow_writer(patch: pytest.MonkeyPatch) -> None:
    original = decide.finished
    patch.setattr(
        decide, "finished", lambda document, now, settings: original(document.evolve(clean_up_at=None), now, settings)
    )


@bug("ended as an older version", Plan(files=1, versions=3, deletes=0))
def a_name_that_is_known_is_not_read_again(patch: pytest.MonkeyPatch) -> None:
    original = decide.on_version

    def on_version(document: Document | None, *args: Any, **options: Any) -> Any:
        if document is not None and document.status is Status.SUCCEEDED:
            return decide.Skip("its name is known")
        return original(document, *args, **options)

    patch.setattr(decide, "on_version", on_version)


@bug("no notification", Plan(done_queue=True))
def nobody_is_told_that_it_is_done(patch: pytest.MonkeyPatch) -> None:
    original = decide.finished
    patch.setattr(
        decide, "finished", lambda document, now, settings: original(document, now, replace(settings, done_queue=None))
    )


# Rows


@bug("was paid|counts", replace(SLOW_WORKERS, events_doubled=1))
def rows_are_written_unconditionally(patch: pytest.MonkeyPatch) -> None:
    original = Documents.write

    def write(self: Documents, document: Document, _: Document | None, *others: Any, **options: Any) -> Document:
        return original(self, document, self.get(document.name), *others, **options)

    patch.setattr(Documents, "write", write)


@bug("stalled", Plan(deletes=0, storage_sent_again=0.3))
def a_writer_does_not_know_its_own_lost_success(patch: pytest.MonkeyPatch) -> None:
    original = Documents.write

    def write(self: Documents, document: Document, *others: Any, **options: Any) -> Document:
        get, names = self.get, []

        def others_row(name: str) -> Document | None:
            names.append(name)
            found = get(name)
            return found and found.evolve(write_id="somebody else's")

        with patch.context() as inner:
            inner.setattr(self, "get", others_row)
            return original(self, document, *others, **options)

    patch.setattr(Documents, "write", write)


@bug("has not ended", Plan(deletes=0, messages_lost=0.5))
def a_document_in_flight_has_no_marker(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(documents_table, "_on_worklist", lambda _: False)


@bug("a worklist entry is left", Plan(deletes=0))
def a_document_that_is_done_keeps_its_marker(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(documents_table, "_on_worklist", lambda _: True)


# Clocks and people


@bug("has not ended", Plan(deletes=0, messages_lost=0.5))
def nothing_looks_for_what_has_stalled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world, "recover_stalled", lambda *_: None)


@bug("(was dropped and has no row|ended as an older version)", Plan(deletes=0, events_dropped=0.7))
def nothing_looks_for_what_no_event_told_of(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world, "find_missed", lambda *_, **__: 0)


@bug("messages are left in read-operations-poison", Plan(deletes=0, storage_error=0.3), schedules=15)
def nobody_looks_into_the_poison_queue(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recover, "_drain_poison", lambda *_: None)


@bug("messages are left in webjobs-blobtrigger-poison", Plan(deletes=0, storage_error=0.5), schedules=15)
def nobody_looks_into_the_poison_queue_of_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recover, "_drain_blob_poison", lambda *_: None)


@bug("failed for nothing: SeeOutput", Plan(deletes=0, storage_error=0.1))
def an_exception_is_written_down_and_swallowed(patch: pytest.MonkeyPatch) -> None:
    def swallowing(services: Services, body: bytes) -> None:
        try:
            advance_message(services, body)
        except AzureError:
            name = Message.from_json(body).name
            if document := services.documents.get(name):
                services.documents.write(decide.fail(document, "SeeOutput", "See output.", services.now()), document)

    patch.setattr(world, "advance_message", swallowing)


@bug("has not ended: waiting", Plan(deletes=1, read=Troubles(throttled=0.9)))
def a_file_that_is_gone_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "on_missing", lambda *_: None)


@bug("was (forgotten|paid)", Plan(versions=1, deletes=0, forgets=1))
def what_is_forgotten_leaves_no_trace(patch: pytest.MonkeyPatch) -> None:
    """Nothing is left that keeps the file from being read again."""

    def forget(services: Services, name: str, *, keep_file: bool = False) -> None:
        if document := services.documents.get(name):
            carry_out.clear_outputs(services, document)
            services.documents.remove(document, due_at=services.now())
            if tombstone := services.documents.tombstone(name):
                services.documents.remove_tombstone(name, tombstone)
        if not keep_file and (etag := services.inbox.etag(name)):
            services.inbox.delete(name, etag)

    patch.setattr(world, "forget", forget)


@every_bug
def test_the_simulation_finds_each_bug(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.build_in(monkeypatch)
    with pytest.raises(AssertionError, match=bug.promise):
        live_all(bug.plan, bug.schedules)


@every_bug
def test_without_the_bug_the_same_schedules_keep_every_promise(bug: Bug) -> None:
    live_all_once(bug.plan, bug.schedules)


def live_all(plan: Plan, schedules: int) -> None:
    for seed in range(schedules):
        live(seed, plan)


live_all_once = cache(live_all)  # several bugs share a plan
