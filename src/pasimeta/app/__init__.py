"""The dashboard: one state of controls and its answer, shown by Panel in a browser, by ipywidgets in JupyterLab."""
