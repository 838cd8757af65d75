"""The registry: a database that knows what exists. It holds no dataset's bytes."""
