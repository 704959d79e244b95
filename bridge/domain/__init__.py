"""Pure values and rules: no I/O, no clock, no thread. Everybody may import it; it imports nobody."""
