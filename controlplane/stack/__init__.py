"""`chm up`: the whole stack on one machine, as supervised child processes."""
