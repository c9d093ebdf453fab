"""Who comes in by the control port: the gate, and what it asks of hosts, sessions and forms."""
