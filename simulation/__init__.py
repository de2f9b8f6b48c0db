"""A storage account in memory, a scripted Read, and a virtual clock: what tests and benchmarks run the app on."""
