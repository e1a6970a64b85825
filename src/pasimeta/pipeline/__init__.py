"""The pipeline: parameters in, executed notebooks, tables, figures and site out."""
