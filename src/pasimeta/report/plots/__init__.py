"""From results to figures, one module a topic: which rows, which labels, which context lines."""
