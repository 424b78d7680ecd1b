"""Non-local consensus: cells of a frame vote for similar cells of the frames around it."""
