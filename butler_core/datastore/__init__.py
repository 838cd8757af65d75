"""The datastore: where datasets' bytes are. It knows no database."""
