"""Draws a page of a file in a process of its own. The app imports nothing from here and talks to it through a pipe."""
