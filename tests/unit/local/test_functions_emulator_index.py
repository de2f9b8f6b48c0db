"""Importing and indexing an app."""

import itertools
from pathlib import Path

import azure.functions as func
import pytest

from local.functions_emulator.host import chosen
from local.functions_emulator.index import (
    BlobTrigger,
    Function,
    HttpTrigger,
    IndexingError,
    QueueTrigger,
    TimerTrigger,
    describe,
    index_app,
)
from local.functions_emulator.settings import HostError

_NUMBERS = itertools.count()


@pytest.fixture
def write_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Apps":
    monkeypatch.syspath_prepend(tmp_path)  # undone after the test, like what indexing adds to sys.path
    monkeypatch.chdir(tmp_path)
    return Apps(tmp_path)


class Apps:
    """Writes apps under new names, since Python imports a name only once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = ""

    def index(self, source: str, **settings: str) -> list[Function]:
        self.script = f"function_app_{next(_NUMBERS)}.py"
        (self.folder / self.script).write_text("import azure.functions as func\napp = func.FunctionApp()\n" + source)
        return index_app(self.folder, settings | {"PYTHON_SCRIPT_FILE_NAME": self.script})


THREE = """
@app.blob_trigger(arg_name="blob", path="%IN%/{name}", connection="Documents", source=func.BlobSource.EVENT_GRID)
def submit(blob: func.InputStream): ...
@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Documents")
async def poll(message: func.QueueMessage, context: func.Context): ...
@app.timer_trigger(arg_name="timer", schedule="%WHEN%", run_on_startup=True)
def sweep(timer: func.TimerRequest): ...
"""


def test_functions_are_found_with_their_triggers_and_app_settings_resolved(write_app: Apps) -> None:
    submit, poll, sweep = write_app.index(THREE, IN="inbox", QUEUE="work", WHEN="0 0 3 * * *")
    assert submit.trigger == BlobTrigger("inbox/{name}", "Documents", "EventGrid")
    assert poll.trigger == QueueTrigger("work", "Documents")
    assert sweep.trigger == TimerTrigger("0 0 3 * * *", run_on_startup=True)
    assert submit.id == "Host.Functions.submit"
    assert (submit.wants_context, poll.wants_context) == (False, True)


def test_blueprints_are_indexed_as_part_of_the_app(write_app: Apps) -> None:
    (function,) = write_app.index(
        "bp = func.Blueprint()\n"
        "@bp.function_name('other')\n"
        "@bp.queue_trigger(arg_name='m', queue_name='q', connection='C')\n"
        "def one(m: str): ...\n"
        "app.register_functions(bp)\n"
    )
    assert function.name == "other"


def test_a_blob_trigger_scans_unless_it_says_otherwise(write_app: Apps) -> None:
    (function,) = write_app.index(
        "@app.blob_trigger(arg_name='b', path='inbox', connection='')\ndef one(b: bytes): ...\n"
    )
    assert function.trigger == BlobTrigger("inbox", "", "LogsAndContainerScan")


def test_an_http_function_has_a_route_methods_and_a_level(write_app: Apps) -> None:
    (function,) = write_app.index(
        "@app.route('x/{y}', methods=['GET', 'POST'], auth_level='ANONYMOUS')\n"
        "def one(req: func.HttpRequest) -> func.HttpResponse: ...\n"
    )
    assert function.trigger == HttpTrigger("x/{y}", ("GET", "POST"), "anonymous")


def test_an_http_function_without_a_level_asks_for_a_key(write_app: Apps) -> None:
    (function,) = write_app.index("@app.route()\ndef one(req: func.HttpRequest) -> func.HttpResponse: ...\n")
    assert function.trigger == HttpTrigger("one", (), "function")


def test_an_app_that_cannot_be_imported_says_so_with_its_own_error(write_app: Apps) -> None:
    with pytest.raises(IndexingError, match="ModuleNotFoundError: No module named 'nowhere'") as raised:
        write_app.index("import nowhere\n")
    assert isinstance(raised.value.__cause__, ModuleNotFoundError)


def test_an_app_that_exits_at_import_is_an_error_of_the_app(write_app: Apps) -> None:
    with pytest.raises(IndexingError, match="SystemExit: no settings"):
        write_app.index("raise SystemExit('no settings')\n")


@pytest.mark.parametrize("more", ["second = func.FunctionApp()\n", "del app\n"])
def test_there_must_be_exactly_one_top_level_app(write_app: Apps, more: str) -> None:
    with pytest.raises(HostError, match="exactly one"):
        write_app.index(more)


def test_two_functions_with_the_same_name_are_refused(write_app: Apps) -> None:
    one = "@app.timer_trigger(arg_name='t', schedule='* * * * * *')\ndef one(t): ...\n"
    with pytest.raises(IndexingError, match="unique"):
        write_app.index(one + one)


@pytest.mark.parametrize("parameters", ["", "other", "m, other", "m, context, other"])
def test_the_only_parameters_are_the_triggers_and_the_context(write_app: Apps, parameters: str) -> None:
    with pytest.raises(IndexingError, match="its trigger is 'm'"):
        write_app.index(
            f"@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\ndef one({parameters}): ...\n"
        )


@pytest.mark.parametrize("annotation", ["func.TimerRequest", "int", "list[str]", "'func.QueueMessage | None'"])
def test_an_annotation_that_the_trigger_cannot_provide_is_refused(write_app: Apps, annotation: str) -> None:
    with pytest.raises(IndexingError, match="does not give"):
        write_app.index(
            f"@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\ndef one(m: {annotation}): ...\n"
        )


def test_an_annotation_that_names_nothing_is_refused(write_app: Apps) -> None:
    with pytest.raises(IndexingError, match="annotations of function one"):
        write_app.index(
            "@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\ndef one(m: 'Nothing'): ...\n"
        )


def test_an_output_binding_is_refused_and_not_ignored(write_app: Apps) -> None:
    with pytest.raises(HostError, match=r"one has bindings .* \(out\)"):
        write_app.index(
            "@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\n"
            "@app.queue_output(arg_name='out', queue_name='o', connection='C')\n"
            "def one(m: str, out: func.Out[str]): ...\n"
        )


def test_a_retry_policy_is_refused_and_not_ignored(write_app: Apps) -> None:
    with pytest.raises(HostError, match="retry policy"):
        write_app.index(
            "@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\n"
            "@app.retry(strategy='fixed_delay', max_retry_count='3', delay_interval='00:00:01')\n"
            "def one(m: str): ...\n"
        )


def test_a_folder_without_the_script_is_not_an_app(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"has no function_app\.py"):
        index_app(tmp_path, {})


def app_of_three() -> list[Function]:
    app = func.FunctionApp()

    @app.blob_trigger(arg_name="b", path="a/{name}", connection="C")
    def first_blob(b: bytes) -> None: ...

    @app.blob_trigger(arg_name="b", path="b/{name}", connection="C")
    def second_blob(b: bytes) -> None: ...

    @app.queue_trigger(arg_name="m", queue_name="q", connection="C")
    def poll(m: str) -> None: ...

    return describe(app, {})


def names(functions: list[Function]) -> list[str]:
    return [function.name for function in functions]


def test_without_names_the_host_listens_for_every_function() -> None:
    assert names(chosen(app_of_three(), [], {})) == ["first_blob", "second_blob", "poll"]


def test_with_a_name_the_host_listens_for_that_function_only() -> None:
    assert names(chosen(app_of_three(), ["poll"], {})) == ["poll"]


def test_a_blob_function_brings_the_other_blob_functions_since_they_share_a_queue() -> None:
    assert names(chosen(app_of_three(), ["second_blob"], {})) == ["first_blob", "second_blob"]


def test_an_unknown_function_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(HostError, match="no function 'pol'; there are: first_blob, second_blob, poll"):
        chosen(app_of_three(), ["pol"], {})


@pytest.mark.parametrize("setting", ["AzureWebJobs.poll.Disabled", "AzureWebJobs__poll__Disabled"])
def test_a_function_that_a_setting_disables_is_left_out(setting: str) -> None:
    assert names(chosen(app_of_three(), [], {setting: "true"})) == ["first_blob", "second_blob"]


@pytest.mark.parametrize(
    ("path", "name", "captured"),
    [
        ("inbox/{name}", "a.png", {"name": "a.png"}),
        ("inbox/{name}", "2024/05/a.png", {"name": "2024/05/a.png"}),
        ("inbox/{name}.{ext}", "a.tar.gz", {"name": "a.tar", "ext": "gz"}),
        ("inbox/{name}.{ext}", "README", None),
        ("inbox/sub/{name}", "sub/a", {"name": "a"}),
        ("inbox/sub/{name}", "other/a", None),
        ("inbox/a.b", "a.b", {}),
        ("inbox/a.b", "axb", None),
        ("inbox", "any/thing", {}),
        ("INBOX/{name}", "a", {"name": "a"}),
    ],
)
def test_a_path_matches_as_the_real_hosts_templates_do(path: str, name: str, captured: dict[str, str] | None) -> None:
    assert BlobTrigger(path, "", "").captures("inbox", name) == captured


@pytest.mark.parametrize("path", ["inbox/{name}/{name}", "inbox/{1}"])
def test_a_path_with_ambiguous_expressions_is_refused(write_app: Apps, path: str) -> None:
    with pytest.raises(IndexingError, match=r"is not container/\{name\}"):
        write_app.index(f"@app.blob_trigger(arg_name='b', path='{path}', connection='')\ndef one(b: bytes): ...\n")


def test_a_blob_of_another_container_does_not_match() -> None:
    assert BlobTrigger("inbox/{name}", "", "").captures("inbox2", "a") is None
