"""What the app costs, compared with what a user would otherwise run."""
