"""A post that hears its radio and whose desk answers."""

import pytest

from bridge.domain import events as ev
from bridge.domain.press import Channel, ChannelKey
from tests.engine.stage import Post


@pytest.fixture
def post() -> Post:
    stage = Post()
    stage.happen(ev.RadioUp("gw1", 0x0B02, (Channel(1, "SiagaDesa", ChannelKey.PRIVATE),), "2.7.26"))
    stage.happen(ev.DeskReachable("police"))
    return stage
