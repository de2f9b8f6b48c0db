"""An emulator for the Azure Functions host: it runs a Python v2-model function app, unchanged, on a laptop.

For development and tests, where Azure Functions Core Tools cannot be installed. Indexing and the conversion
of values are `azure-functions`' own public code (and `azurefunctions-extensions-base`'s for SDK types); polling,
leases, dequeue counts, poison queues, blob receipts and timers follow the source of the real host and of its
storage extension, cited where they are followed.

HTTP functions are served as the real host serves them: routes, methods, `routePrefix`, levels and keys, 100 MB a
body, 8 KB a request line, no body without a Content-Length. The keys are fixed and public (keys.py), as
Azurite's are; Core Tools asks for none. What the emulator adds, since they are public: a request whose Host or Origin
is not this machine is refused, so that no page of another site can use them.

What it is not:

- Not production. Azure Functions is; `func start` is the official local host.
- Blob, queue, timer and HTTP triggers only. No input or output binding (refused), no retry policy of a
  decorator (refused), no dynamic concurrency, no scaling, no Application Insights, no App Service
  authentication, no streams of HTTP, no CORS settings.
- One process: there is no separate worker, so an app that crashes the interpreter takes the host with it.
  Where the real host kills and restarts a worker (functionTimeout), this one ends with status 3; whoever
  started it starts it again.
- The blob scan is that of development storage (a full listing, again and again); there is no reading of
  storage logs. Event Grid is not played: name each blob to the admin endpoint.
- A timer keeps no schedule monitor and takes no singleton lock: a time that passed while no host ran is
  skipped, and a timer fires in every process that lists it. The clock is UTC.
- The admin endpoint takes no key, as that of Core Tools. It puts a blob that it is given on the
  trigger's internal queue, where Event Grid's events go too, so that it is retried and survives a crash; the
  real host calls the function once, directly.
"""
