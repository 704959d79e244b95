"""Under MicroPython: for each JSON line [key in hex, text] the MAC that the firmware writes."""

import binascii
import json
import sys

from firmware_config.head import line

for given in sys.stdin:
    key, said = json.loads(given)
    print(line.mac(binascii.unhexlify(key), said))
