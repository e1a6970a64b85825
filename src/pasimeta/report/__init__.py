"""From results to what a reader sees: the words, tables and figures of the notebooks and the site."""
