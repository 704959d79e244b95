"""From `[[input]]` to what listens."""

from bridge.codec.line import LineCodec
from bridge.config_inputs import WiredInput
from bridge.domain.codebook import Codebook
from bridge.domain.ids import PostId, Run
from bridge.domain.ports import Clock, Input
from bridge.edges.cts import CtsContact
from bridge.edges.gpio_pad import GpioContact
from bridge.edges.line_head import Compose, WiredHead
from bridge.edges.wired import Contact, ContactInput, Hand
from bridge.edges.wired_hand import Button, Striker


def build_input(
    wired: WiredInput, *, post: PostId, run: Run, codebook: Codebook, lines: LineCodec, compose: Compose, clock: Clock
) -> Input:
    """One input; nothing is opened before it is started."""
    name = wired.name
    if wired.driver == "line":
        return WiredHead(name, wired.url, post=post.post, run_bits=run.bits, lines=lines, compose=compose, clock=clock)
    return ContactInput(name, _contact(wired, clock), _hand(wired, post.post, run.bits, codebook), clock)


def _hand(wired: WiredInput, post: str, run_bits: str, codebook: Codebook) -> Hand:
    if wired.role == "silence":
        return Button(wired.name)
    return Striker(wired.name, post, run_bits, codebook, at_post=wired.at == "post")


def _contact(wired: WiredInput, clock: Clock) -> Contact:
    if wired.driver == "cts":
        return CtsContact(wired.url, has_notice=wired.notice, monotonic=clock.monotonic)
    return GpioContact(wired.pin, active_low=wired.active_low, notice_pin=wired.notice_pin, monotonic=clock.monotonic)
