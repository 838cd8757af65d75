"""Queries: the ``where`` language, the join planner and the query builder."""
