"""An emulator for the Azure Functions host: it runs a Python v2-model function app, unchanged, on a laptop.

It is for development and tests where Azure Functions Core Tools cannot be installed. Indexing and the conversion
of values use `azure-functions`' own public code (and `azurefunctions-extensions-base`'s for SDK types); polling,
leases, dequeue counts, poison queues, blob receipts and timers follow the source of the real host and of its
storage extension, which the modules cite.

HTTP functions are served as by the real host: routes, methods, `routePrefix`, levels and keys, bodies up to 100 MB,
request lines up to 8 KB, no body without a Content-Length. The keys are fixed and public (keys.py), like Azurite's;
Core Tools asks for none. Since they are public, the emulator also refuses requests whose Host or Origin is not this
machine, so that no page of another site can use them.

What it does not do:

- It is not for production. Azure Functions is; `func start` is the official local host.
- It has blob, queue, timer and HTTP triggers only. No input or output bindings (refused), no retry policies of
  decorators (refused), no dynamic concurrency, no scaling, no Application Insights, no App Service
  authentication, no HTTP streams, no CORS settings.
- It is one process without a separate worker, so an app that crashes the interpreter also ends the host.
  Where the real host kills and restarts a worker (functionTimeout), this one ends with status 3, and whoever
  started it must start it again.
- Its blob scan is the one for development storage (a full listing, again and again); it reads no storage logs.
  There is no Event Grid: pass each blob's name to the admin endpoint.
- Timers have no schedule monitor and no singleton lock: a time that passed while no host ran is skipped, and a
  timer fires in every process that lists it. The clock is UTC.
- The admin endpoint needs no key, like Core Tools'. It puts the given blob on the trigger's internal queue, where
  Event Grid's events go too, so the blob is retried and survives a crash; the real host calls the function once,
  directly.
"""
