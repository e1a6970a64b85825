"""Evidence: studies as data, every figure with its source."""
