"""One module for each service: its configuration, set-up and processes.

Each has `plan(lab)`, which writes the configuration and returns the processes
by name; some have `set_up(lab)`, run once before the first start.
"""
