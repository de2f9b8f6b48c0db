"""Draws a page of a file, in a process of its own: nothing here is imported by the app, which talks to it by a pipe."""
