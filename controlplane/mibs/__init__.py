"""Modules for the exporter from the MIBs of vendors, without net-snmp."""
