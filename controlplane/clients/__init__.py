"""The HTTP APIs of the programs CHM works with, each behind one small client with its fake."""
