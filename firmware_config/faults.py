"""What goes wrong with registers, vaults and backups, named so that it can be said in either language."""

from bridge.domain.errors import BridgeError


class Refused(BridgeError):
    """Nothing was changed. `key` names a sentence for people, `facts` what it speaks of; no secret is among them."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key.replace("_", " ") + "".join(f"; {name}: {value}" for name, value in facts.items()))
        self.key, self.facts = key, facts
