"""Figures: each consumes results, never data, and carries its own alternative text."""
