"""Wearables, the connection supervisor, clocks, the disk spool and the MQTT publisher."""
