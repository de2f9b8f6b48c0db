"""What the app costs, measured beside what its reader would otherwise run."""
