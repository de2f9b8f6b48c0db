"""Microsoft's own worker library with an app in it, driven over standard input and output, one JSON object per line.

    python -m tests.conformance.worker APP_FOLDER

It answers each request that the real host would send over gRPC (azure-functions-host, GrpcWorkerChannel.cs): first,
unasked, to the requests for init, metadata and load; then to one invocation a line. The library is given its message
classes, as Microsoft's worker without protobuf gives them (azure-functions-python-worker, workers/r2p2).
"""

import asyncio
import json
import sys
import uuid
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class _Message:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def _protos() -> Any:
    plain = (
        "WorkerInitResponse WorkerMetadata FunctionMetadataResponse FunctionLoadResponse InvocationResponse"
        " RpcException RpcFunctionMetadata RpcRetryOptions FunctionEnvironmentReloadResponse ParameterBinding"
        " TypedData RpcHttp"
    )
    return SimpleNamespace(
        **{name: type(name, (_Message,), {}) for name in plain.split()},
        StatusResult=type("StatusResult", (_Message,), {"Failure": 0, "Success": 1, "Cancelled": 2}),
        BindingInfo=type(
            "BindingInfo",
            (_Message,),
            {"in_": 0, "out": 1, "inout": 2, "undefined": 0, "string": 1, "binary": 2, "stream": 3},
        ),
    )


class _Data:
    """A TypedData message as far as the library reads it."""

    def __init__(self, kind: str, value: Any) -> None:
        self._kind = kind
        setattr(self, kind, value)

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        assert group == "data"
        return self._kind


def _data(kind: str, value: Any) -> _Data:
    """What a trigger passes: ``model_binding_data`` (an SDK type), ``string`` (a queue message), ``json``, ``http``."""
    if kind == "http":
        value = SimpleNamespace(**{**value, "body": _Data("bytes", value["body"].encode())})
    if kind == "model_binding_data":
        value = SimpleNamespace(**{**value, "content": json.dumps(value["content"]).encode()})
    return _Data(kind, value)


def _binding(name: str, kind: str, value: Any) -> Any:
    data = _data(kind, value)
    return SimpleNamespace(name=name, data=data, WhichOneof=lambda _: "data")


def _answer(**fields: Any) -> None:
    print(json.dumps(fields), file=sys.__stdout__, flush=True)


def _result(response: Any) -> dict[str, Any]:
    exception = getattr(response.result, "exception", None)
    told = {"status": response.result.status, "error": exception.message if exception else None}
    http = getattr(getattr(response, "return_value", None), "http", None)
    if http is None:
        return told
    headers = {name.lower(): value for name, value in http.headers.items()}
    assert len(headers) == len(http.headers), "a header occurs twice"
    return {**told, "http": {"status": http.status_code, "headers": headers, "body": http.body.bytes.decode()}}


async def _serve(folder: str) -> None:
    runtime: Any = import_module("azure_functions_runtime")  # untyped, and there from Python 3.13 on

    def request(**fields: Any) -> Any:
        return SimpleNamespace(request=SimpleNamespace(**fields), properties={"protos": _protos(), "host": "127.0.0.1"})

    begin = SimpleNamespace(capabilities={}, function_app_directory=folder)
    init = await runtime.worker_init_request(request(worker_init_request=begin))
    indexed = await runtime.functions_metadata_request(request(functions_metadata_request=SimpleNamespace()))
    functions = {function.name: function for function in indexed.function_metadata_results or ()}
    for function in functions.values():
        load = SimpleNamespace(function_id=function.function_id)
        loaded = await runtime.function_load_request(request(function_load_request=load))
        assert loaded.result.status == 1, _result(loaded)
    _answer(
        **_result(init),
        functions={name: [json.loads(raw) for raw in each.raw_bindings] for name, each in functions.items()},
    )
    runtime.start_threadpool_executor()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        invocation = SimpleNamespace(
            invocation_id=str(uuid.uuid4()),
            function_id=functions[asked["function"]].function_id,
            input_data=[_binding(*asked["input"])],
            trigger_metadata={name: _data(*value) for name, value in asked["metadata"].items()},
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        _answer(**_result(await runtime.invocation_request(request(invocation_request=invocation))))
    runtime.stop_threadpool_executor()


if __name__ == "__main__":
    app = str(Path(sys.argv[1]).resolve())
    sys.path.insert(0, app)
    sys.stdout = sys.stderr  # what the app prints must not mix with the answers
    asyncio.run(_serve(app))
