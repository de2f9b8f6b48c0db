"""What the functions do. Nothing in here knows Azure Functions: the triggers in function_app.py do."""

__version__ = "0.1.0"
