"""In what two captures differ: found here, by kind; how grave it is, the policy says."""
