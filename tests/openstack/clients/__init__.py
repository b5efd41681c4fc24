"""Stock clients, each as its users run it, behind the proxy and without a credential of ours.

`seen/clients` runs all of them, `cases/clients.py` the quick ones.
"""
