"""The few faults that cross a room's border. Each message says what is wrong and what to do."""


class BridgeError(Exception):
    """Something a technician can act on; the message is one clear line."""


class ConfigError(BridgeError):
    """The configuration is wrong; nothing was started. `indonesian`: the same lines, where they were translated."""

    def __init__(self, english: str, indonesian: str = "") -> None:
        super().__init__(english)
        self.indonesian = indonesian or english

    def said(self, language: str) -> str:
        """In a technician's language; logs keep the English."""
        return self.indonesian if language == "id" else str(self)


class FrameError(BridgeError):
    """Bytes that are not a frame of the protocol they claim to be."""


class RadioLost(BridgeError):
    """The radio's stream ended or went silent."""


class JournalFailed(BridgeError):
    """The journal cannot be opened or written."""


class JournalBusy(JournalFailed):
    """Another bridge holds this journal."""
