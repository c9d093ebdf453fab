"""The queue of exceptions: what the evidence cannot settle, asked of people, once."""
