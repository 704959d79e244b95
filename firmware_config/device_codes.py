"""What Meshtastic's apps read from a QR code: one node as a contact with its key, or a channel with its radio."""

import base64

from meshtastic.protobuf import admin_pb2, apponly_pb2, config_pb2

from bridge.domain.ids import node_id
from firmware_config.village import Village

CONTACT, CHANNEL = "https://meshtastic.org/v/#", "https://meshtastic.org/e/#"


def contact_code(number: int, name: str, public_key: bytes) -> str:
    """Whoever scans it can write to the node so that nobody else reads it. Nothing secret is in it."""
    contact = admin_pb2.SharedContact(node_num=number, manually_verified=True)
    contact.user.id = node_id(number)
    contact.user.long_name, contact.user.short_name = name, name[-4:]
    contact.user.public_key = public_key
    return CONTACT + _text(contact.SerializeToString())


def channel_code(village: Village) -> str:
    """The village's channel with its KEY, and the radio's settings: whoever has it reads and sends as the village."""
    sending, lora = village.sending, config_pb2.Config.LoRaConfig
    joined = apponly_pb2.ChannelSet()
    joined.settings.add(name=sending.channel, psk=village.channel_key)
    joined.lora_config.use_preset = joined.lora_config.tx_enabled = joined.lora_config.ignore_mqtt = True
    joined.lora_config.modem_preset = lora.ModemPreset.Value(sending.preset)
    joined.lora_config.region = lora.RegionCode.Value(sending.region)
    joined.lora_config.hop_limit, joined.lora_config.tx_power = village.hops, sending.power_dbm
    joined.lora_config.channel_num = sending.slot_used
    return CHANNEL + _text(joined.SerializeToString())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
