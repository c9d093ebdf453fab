"""What production was asked and what it answered, on disk; labels; and both brought together."""
