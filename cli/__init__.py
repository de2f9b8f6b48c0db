"""The operator's commands: the status of files, their text, and requests to the app.

    python -m cli status --storage ACCOUNT

They need only the packages of requirements.txt, and work on any storage: an account in Azure, or Azurite. ``dev.py``
forwards to them with the storage of the local stack.
"""
