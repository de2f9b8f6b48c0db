"""A storage account in memory, a scripted Read and a virtual clock, on which tests and benchmarks run the app."""
