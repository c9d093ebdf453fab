"""Could the model have seen what it is judged on? By row, by key, by time; by a copied target."""
