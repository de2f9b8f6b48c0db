"""What dev.py can do: one module a command, or a family of them."""
