"""Names of studies to be afraid of."""

HOSTILE = "<script>alert(1)</script>"
LONG = "Long " * 59 + "title"
