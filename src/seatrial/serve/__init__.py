"""The processes of ``seatrial serve``: the supervisor, and the scheduler with its jobs."""
