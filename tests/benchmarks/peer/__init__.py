"""What the peer middleware does of each workload; run by its own Python."""
