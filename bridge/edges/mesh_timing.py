"""How patient we are with a radio. One place, so that tests can be quick."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, but for `queue_size`. The defaults hold for firmware 2.7 on a serial port or in the post's own net."""

    connect_s: float = 5.0
    handshake_s: float = 15.0  # a full node database over 115200 baud takes about 3
    heartbeat_s: float = 10.0  # each is answered by a queueStatus; without any, firmware hangs up after 15 minutes
    silence_s: float = 25.0  # two heartbeats unanswered; a half-open link must be seen within 30
    byte_gap_s: float = 2.0  # inside a frame; a lossy wireless net stalls for more than a second
    backoff_s: tuple[float, float] = (1.0, 15.0)
    text_gap_s: float = 2.2  # firmware silently drops a text less than 2 s after the last one it saw
    write_s: float = 5.0
    look_up_s: float = 0.5  # how long a quiet reader takes to notice that it is told to stop
    taken_s: float = 10.0  # the radio's queueStatus for a text
    ack_s: float = 120.0  # how long an answer is still understood; who waits for it times that himself
    stop_s: float = 3.0
    goodbye_s: float = 0.3  # what was on its way when we said goodbye
    queue_size: int = 64
