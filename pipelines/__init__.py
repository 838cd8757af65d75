"""Pipeline definitions and the science tasks they name."""
