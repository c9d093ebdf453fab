"""How is a dataset distributed? Counts on stored edges and values, which add up."""
