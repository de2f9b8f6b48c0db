"""HTTP: the interface and the page. When the app starts, it imports only what registers the triggers."""
