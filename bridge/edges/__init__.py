"""Where the bridge meets the world: radios, sirens, clocks. Each edge reports as events and never decides."""
