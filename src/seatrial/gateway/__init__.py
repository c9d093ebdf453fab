"""Production's requests: answered, logged, shadowed. Nothing here opens the ledger."""
