"""The pages, one file each: a file is what the head of the page calls it, and has ``ROUTES``."""
