"""Sentences written from results, one module a topic: no number is typed, no claim outruns its evidence."""
