"""A version as a folder or an archive for a device: written, listed, packed, read, verified."""
