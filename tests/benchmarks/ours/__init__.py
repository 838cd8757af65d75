"""What our middleware does of each workload."""
