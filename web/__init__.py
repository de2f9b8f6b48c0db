"""HTTP: the interface and the page. Imports nothing at a start but what registers its triggers."""
