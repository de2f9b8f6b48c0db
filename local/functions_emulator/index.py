"""The functions of an app and their triggers, found by `azure-functions`' own public code."""

import importlib
import inspect
import logging
import os
import re
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import azure.functions as func
from azure.functions import meta

from local.functions_emulator.settings import HostError, resolve

EVENT_GRID = "EventGrid"


class IndexingError(HostError):
    """The app could not be imported or indexed; `__cause__` is the app's own error."""


@dataclass(frozen=True)
class BlobTrigger:
    """`path` is container or container/pattern; `source` is LogsAndContainerScan or EventGrid."""

    path: str
    connection: str
    source: str

    @property
    def container(self) -> str:
        """The container of the path."""
        return self.path.partition("/")[0]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """`{x}` matches as much as it can, including `/` (azure-webjobs-sdk BindingTemplateToken.cs)."""
        parts = re.split(r"\{(\w+)\}", self.path.partition("/")[2])
        return re.compile("".join(f"(?P<{p}>.*)" if odd % 2 else re.escape(p) for odd, p in enumerate(parts)))

    def captures(self, container: str, name: str) -> dict[str, str] | None:
        """The value of each `{…}` of the path for this blob; None if the blob does not match.

        Case is ignored in the container's name, and a container alone matches every blob
        (azure-sdk-for-net ParameterizedBlobPathSource.cs).
        """
        if container.lower() != self.container.lower():
            return None
        if "/" not in self.path:
            return {}
        match = self._pattern.fullmatch(name)
        return match.groupdict() if match else None


@dataclass(frozen=True)
class QueueTrigger:
    """A storage queue."""

    queue_name: str
    connection: str


@dataclass(frozen=True)
class TimerTrigger:
    """`schedule` is NCRONTAB, in UTC."""

    schedule: str
    run_on_startup: bool


@dataclass(frozen=True)
class HttpTrigger:
    """`route` is a route template, or None for the function's name; without `methods`, it accepts all."""

    route: str | None
    methods: tuple[str, ...]
    auth_level: Literal["anonymous", "function", "admin"]


Trigger = BlobTrigger | QueueTrigger | TimerTrigger | HttpTrigger


@dataclass(frozen=True)
class Function:
    """One function of the app. `trigger` is None if this host does not run that type.

    `converter` makes the value of `parameter`; it is None if the value is passed on unchanged.
    """

    name: str
    call: Callable[..., Any]
    trigger_type: str
    parameter: str
    trigger: Trigger | None = None
    python_type: Any = None
    wants_context: bool = False
    is_sdk_type: bool = False
    converter: Any = None
    bindings: tuple[Mapping[str, Any], ...] = ()
    """Its bindings, as they are written in a function.json."""

    @property
    def id(self) -> str:
        """Its name in receipts and in the blob trigger's messages."""
        return f"Host.Functions.{self.name}"


def index_app(app: Path, environ: Mapping[str, str]) -> list[Function]:
    """Import the app's `function_app.py` and index its one top-level FunctionApp, as the Python worker does.

    Raises IndexingError, with the app's own error as its cause; HostError for a feature that this host does not have.
    """
    script = environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not (app / script).is_file():
        raise HostError(f"{app} has no {script}: name the folder of a function app with --app.")
    sys.path.insert(0, str(app))
    os.chdir(app)
    try:
        module = importlib.import_module(Path(script).stem)
    except (Exception, SystemExit) as error:
        raise IndexingError(f"{script} cannot be imported: {type(error).__name__}: {error}") from error
    apps = [item for item in vars(module).values() if isinstance(item, func.FunctionRegister)]
    if len(apps) != 1:
        raise HostError(f"{script} must hold exactly one top-level FunctionApp; it holds {len(apps)}.")
    return describe(apps[0], environ)


def describe(app: func.FunctionRegister, environ: Mapping[str, str]) -> list[Function]:
    """The app's functions, in the order in which they are written. Raises as `index_app` does."""
    # Without HTTP functions, azure-functions warns that the authorisation level is not used.
    logging.disable(logging.WARNING)
    try:
        functions = app.get_functions()
    except ValueError as error:
        raise IndexingError(f"The app cannot be indexed: {error}") from error
    finally:
        logging.disable(logging.NOTSET)
    return [_describe(function, environ) for function in functions]


def _describe(function: Any, environ: Mapping[str, str]) -> Function:
    binding = function.get_trigger().get_dict_repr()
    name, parameter = function.get_function_name(), binding["name"]
    call = function.get_user_function()
    bindings = tuple(other.get_dict_repr() for other in function.get_bindings())
    described = Function(name, call, binding["type"], parameter, bindings=bindings)
    trigger = _trigger(binding, environ)
    if trigger is None:
        return described
    others = [other for other in function.get_bindings() if other.name != parameter]
    if isinstance(trigger, HttpTrigger):
        others = [other for other in others if (other.type, other.name) != ("http", "$return")]
    if others:
        names = ", ".join(other.name for other in others)
        raise HostError(
            f"Function {name} has bindings that this emulator does not support ({names}): use an SDK client "
            "instead, or run the app under Core Tools."
        )
    if function.get_settings_dict("retry_policy"):
        raise HostError(f"Function {name} has a retry policy, which this emulator does not support.")
    parameters = set(inspect.signature(call).parameters)
    if parameters - {"context"} != {parameter} - {"context"}:
        raise IndexingError(f"Function {name} takes {sorted(parameters)}, but its trigger is {parameter!r}.")
    python_type = _type_of(name, call, parameter)
    is_sdk_type = _is_sdk_type(python_type)
    return replace(
        described,
        trigger=trigger,
        python_type=python_type,
        wants_context="context" in parameters and parameter != "context",
        is_sdk_type=is_sdk_type,
        converter=_converter(described, python_type, is_sdk_type),
    )


def _trigger(binding: Mapping[str, Any], environ: Mapping[str, str]) -> Trigger | None:
    match binding["type"]:
        case "blobTrigger":
            blob_trigger = BlobTrigger(
                path=resolve(binding["path"], environ),
                connection=resolve(binding.get("connection") or "", environ),
                source=resolve(binding.get("source") or "LogsAndContainerScan", environ),
            )
            try:
                blob_trigger.captures(blob_trigger.container, "")
            except re.error as error:
                raise IndexingError(f"The path {blob_trigger.path!r} is not container/{{name}}: {error}.") from None
            return blob_trigger
        case "queueTrigger":
            return QueueTrigger(
                queue_name=resolve(binding["queueName"], environ),
                connection=resolve(binding.get("connection") or "", environ),
            )
        case "timerTrigger":
            return TimerTrigger(
                schedule=resolve(binding["schedule"], environ),
                run_on_startup=bool(binding.get("runOnStartup")),
            )
        case "httpTrigger":
            route = binding.get("route")
            return HttpTrigger(
                route=resolve(route, environ) if route else None,
                methods=tuple(str(method).upper() for method in binding.get("methods") or ()),
                # Without a level, the host uses `function` (HttpTriggerAttribute.cs).
                auth_level=cast(Any, str(binding.get("authLevel") or "function").lower()),
            )
    return None


def _type_of(name: str, call: Callable[..., Any], parameter: str) -> Any:
    try:
        return typing.get_type_hints(call).get(parameter)
    except Exception as error:
        raise IndexingError(f"The annotations of function {name} cannot be resolved: {error}") from error


def _is_sdk_type(python_type: Any) -> bool:
    # An app that uses an SDK type has imported its registry; the worker, too, asks for it only then.
    if "azurefunctions.extensions.base" not in sys.modules:
        return False
    return bool(_sdk_types().check_supported_type(python_type))


def _converter(function: Function, python_type: Any, is_sdk_type: bool) -> Any:
    if python_type in (str, bytes):
        return None
    registry: Any = _sdk_types() if is_sdk_type else meta.get_binding_registry()  # type: ignore[no-untyped-call]  # theirs
    converter = registry.get(function.trigger_type)
    fits = converter is not None and (
        python_type is None or (isinstance(python_type, type) and converter.check_input_type_annotation(python_type))
    )
    if not fits:
        raise IndexingError(
            f"Function {function.name}: {function.parameter!r} is annotated {python_type!r}, which a "
            f"{function.trigger_type} does not provide."
        )
    return converter


def _sdk_types() -> Any:
    return importlib.import_module("azurefunctions.extensions.base").get_binding_registry()
