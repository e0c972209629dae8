"""Background jobs: what a worker runs, and when periodic ones are due. Thin; services do the work."""
