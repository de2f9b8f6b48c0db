"""The operator's commands: how files stand, their text, and what a person asks of the app.

    python -m cli status --storage ACCOUNT

It needs the packages of requirements.txt and nothing else, and looks at any storage that it is pointed to: an account
in Azure, or Azurite. ``dev.py`` forwards to it with the storage of the local stack.
"""
