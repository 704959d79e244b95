"""Runs at every start, a soft one into the prompt too: there no loop would feed the watchdog that already runs."""

from firmware_config.head.guard import guard

guard.hold()
