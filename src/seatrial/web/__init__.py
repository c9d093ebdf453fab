"""Pages over what the project remembers, and the API that they stand on: the control port."""
