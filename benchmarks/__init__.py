"""Speed, measured: `python -m benchmarks`. Nothing here is asserted in tests; the accounting is asserted here."""
