"""The few faults that cross a room's border. Each message says what is wrong and what to do."""


class BridgeError(Exception):
    """Something a technician can act on; the message is one clear line."""


class ConfigError(BridgeError):
    """The configuration is wrong; nothing was started."""


class FrameError(BridgeError):
    """Bytes that are not a frame of the protocol they claim to be."""


class RadioLost(BridgeError):
    """The radio's stream ended or went silent."""


class BrokerRefused(BridgeError):
    """The broker answered, and said no."""


class JournalFailed(BridgeError):
    """The journal cannot be opened or written."""


class JournalBusy(JournalFailed):
    """Another bridge holds this journal."""
