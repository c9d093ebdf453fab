"""What a capture reads of the machine: one file a kind of thing."""
