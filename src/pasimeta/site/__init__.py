"""The static site: results, studies and methods as pages that need neither server nor network."""
