"""The worker: carries out the jobs that the rooms declare."""
