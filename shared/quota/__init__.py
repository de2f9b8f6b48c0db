"""How all instances of the app share the quota of one Read resource."""
