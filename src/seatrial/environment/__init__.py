"""What a model was trained and is served with: captured, compared, verified."""
