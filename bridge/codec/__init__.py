"""Text on air ↔ presses and answers. Pure: no thread, no socket, no clock."""
