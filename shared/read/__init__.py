"""Azure's Read service: its client, its generations, and one shape for their results."""
