"""The ground floor: money, clock, jobs, SQL, failpoints, secrets. No models, no domain."""
