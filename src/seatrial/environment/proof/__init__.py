"""The proof of a bundle on this machine, by a child process that may crash."""
