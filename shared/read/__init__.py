"""Azure's Read service: its client, its generations, and the one shape of what it reads."""
