"""The science tasks that the pipelines beside them name.

One file a task; the other modules hold pure functions over arrays that the
tasks share. Importing any of them costs next to nothing: numpy, astropy,
ccdproc and photutils are imported where a function uses them.
"""
