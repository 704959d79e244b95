"""From `[[input]]` to what listens."""

from bridge.codec.line import LineCodec
from bridge.config_inputs import WiredInput
from bridge.domain.codebook import Codebook
from bridge.domain.ids import PostId, Run
from bridge.domain.pad import Pad
from bridge.domain.ports import Clock, Input
from bridge.edges.cts import CtsContact
from bridge.edges.gpio_pad import GpioContact
from bridge.edges.line_head import Compose, WiredHead
from bridge.edges.wired import Button, Contact, ContactInput, Striker


def build_input(
    wired: WiredInput, *, post: PostId, run: Run, codebook: Codebook, lines: LineCodec, compose: Compose, clock: Clock
) -> Input:
    """One input; nothing is opened before it is started."""
    name = wired.name
    if wired.driver == "line":
        return WiredHead(name, wired.url, post=post.post, run_bits=run.bits, lines=lines, compose=compose, clock=clock)
    contact = _contact(wired, clock)
    if wired.role == "silence":
        return ContactInput(name, contact, Button(name), clock)
    at_post = wired.at == "post"
    hand = Striker(name, post.post, run.bits, Pad(codebook, at_post), at_post=at_post, is_notice=contact.is_notice)
    return ContactInput(name, contact, hand, clock)


def _contact(wired: WiredInput, clock: Clock) -> Contact:
    if wired.driver == "cts":
        return CtsContact(wired.url, has_notice=wired.notice, monotonic=clock.monotonic)
    return GpioContact(wired.pin, active_low=wired.active_low, notice_pin=wired.notice_pin, monotonic=clock.monotonic)
