"""seatrial."""
