"""The least that each workload can take: its bare system calls, SQL or library calls."""
