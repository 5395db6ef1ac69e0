"""What the exporter makes of real devices, against what an independent poller made of them.

`make fidelity RECORDINGS=FOLDER` plays every `NAME.snmprec` of a folder over UDP and compares with
`NAME.expected.json` beside it.
"""
