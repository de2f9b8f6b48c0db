"""How Hypothesis runs: an example that a busy machine takes long over is no failure."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
