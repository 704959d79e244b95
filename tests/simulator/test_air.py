"""Several nodes on one air: relays, copies, partitions, keys, and the same seed twice."""

import itertools

import pytest
from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import Air
from simulator.village import Village
from tests.patience import until
from tests.simulator.lab import connect, kind


def village_with(**air):
    return Village(seed=3, air=Air(3, **{"delay_s": 0.002, "retry_s": 0.05} | air))


def anything(received):
    return True


def next_packet(client):
    return client.told(lambda told: bool(told) and kind(told[-1]) == "packet")[-1].packet


def texts(node):
    return [received.text for received in node.inbox]


def test_a_direct_text_is_acknowledged_by_its_reader_alone():
    with village_with() as village:
        gateway, house, other = village.gateway("GW1"), village.house("RT01-01", num=0x0A01), village.house("RT01-02")
        sent = gateway.text("pos dengar", to=house.num)
        assert gateway.wait_for_outcome(sent, 5) == (sent_by := gateway.outcomes[0])
        assert (sent_by.error, sent_by.by) == ("NONE", 0x0A01)
        received = house.wait_for(anything, 5)
        assert (received.text, received.sender, received.packet_id) == ("pos dengar", gateway.num, sent)
        assert received.pki and received.channel == ""
        assert texts(other) == []


def test_a_broadcast_is_acknowledged_by_our_own_node_once_somebody_relays_it():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        sent = house.text("TOLONG", bell=True)
        assert house.wait_for_outcome(sent, 5).by == house.num
        received = gateway.wait_for(anything, 5)
        assert (received.text, received.channel, received.pki) == ("\x07TOLONG", "SiagaDesa", False)


def test_nobody_in_range_is_told_as_given_up():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        village.cut(gateway)
        sent = gateway.text("ada orang?", to=house.num)
        outcome = gateway.wait_for_outcome(sent, 5)
        assert (outcome.error, outcome.by) == ("MAX_RETRANSMIT", gateway.num)
        village.heal(gateway)
        again = gateway.text("sekarang?", to=house.num)
        assert gateway.wait_for_outcome(again, 5, by=house.num).error == "NONE"
        assert texts(house) == ["sekarang?"]


def test_only_links_carry_and_hops_run_out():
    with village_with() as village:
        chain = [village.house(f"RT01-{n:02}") for n in range(6)]
        for one, other in itertools.pairwise(chain):
            village.link(one, other)
        chain[0].text("jauh")
        chain[4].wait_for(anything, 5)
        chain[5].text("balik")  # after it, "jauh" could no longer be under way to the last house
        chain[1].wait_for(lambda received: received.text == "balik", 5)
        assert texts(chain[5]) == []  # three relays carry four links, not five
        assert [texts(node) for node in chain[1:5]] == [["jauh", "balik"]] * 4


def test_a_node_that_does_not_relay_carries_nothing():
    with village_with() as village:
        near, mute, far = village.house("A"), village.house("B", relays=False), village.house("C")
        village.link(near, mute)
        village.link(mute, far)
        sent = near.text("tersangkut")
        assert near.wait_for_outcome(sent, 5).error == "MAX_RETRANSMIT"
        assert (texts(mute), texts(far)) == (["tersangkut"], [])


def test_partitions_can_be_made_and_mended():
    with village_with(partitions=[["GW1", "RT01-01"], ["RT02-01"]]) as village:
        gateway, near, far = village.gateway("GW1"), village.house("RT01-01"), village.house("RT02-01")
        assert far.wait_for_outcome(far.text("putus"), 5).error == "MAX_RETRANSMIT"
        near.text("dekat")
        gateway.wait_for(lambda received: received.text == "dekat", 5)
        village.air.split(())
        far.text("sambung")
        gateway.wait_for(lambda received: received.text == "sambung", 5)
        assert texts(gateway) == ["dekat", "sambung"]


def test_copies_are_one_packet_until_the_node_restarts():
    with village_with(copies=3, echo_s=0.2) as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01", relays=False)
        house.text("sekali", want_ack=False)
        gateway.wait_for(anything, 5)
        gateway.restart()
        until(lambda: len(gateway.inbox) == 2, "the echo is taken for new after a restart")
        sent = house.text("penutup", want_ack=False)
        gateway.wait_for(lambda received: received.packet_id == sent, 5)
        assert texts(gateway) == ["sekali", "sekali", "penutup"]


def test_repeating_overcomes_loss():
    with village_with(loss=0.3) as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        outcomes = [house.wait_for_outcome(house.text(f"{n}", to=gateway.num), 10) for n in range(40)]
        delivered = {outcome.packet_id for outcome in outcomes if outcome.by == gateway.num}
        heard = {received.packet_id for received in gateway.inbox}
        assert delivered <= heard and 30 <= len(delivered) <= 40
        assert len(heard) == len(gateway.inbox)
        assert any(outcome.error == "MAX_RETRANSMIT" for outcome in outcomes) or len(delivered) == 40


def trace(seed, loss=0.4):
    """Everything that eight houses and a gateway heard in one evening by a clock of our own."""
    now = [0.0]
    air = Air(seed, loss=loss, delay_s=0.1, copies=2)
    village = Village(seed=seed, air=air, clock=lambda: now[0], wall=lambda: now[0])
    nodes = [village.gateway("GW1"), *(village.house(f"RT01-{n:02}") for n in range(8))]
    for number, node in enumerate(nodes):
        node.text(f"dari {number}")
        node.text("langsung", to=nodes[number - 1].num)
        while (wait_s := village.run_due()) is not None:
            now[0] += wait_s + 1e-9
    return [(node.name, node.inbox, node.outcomes) for node in nodes]


def test_the_same_seed_gives_the_same_evening_and_another_seed_another():
    assert trace(5) == trace(5)
    assert trace(5) != trace(6)


def test_an_impostor_is_unmarked_in_public_and_shut_out_in_private():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        liar = village.impostor(house)
        with connect(gateway) as client:
            client.handshake()
            client.everything()
            liar.text("TOLONG palsu", want_ack=False)
            public = next_packet(client)
            liar.announce()
            liar.text("rahasia palsu", to=gateway.num, want_ack=False)
            shut = next_packet(client)
            house.text("rahasia asli", to=gateway.num)
            genuine = next_packet(client)
    assert {getattr(p, "from") for p in (public, shut, genuine)} == {house.num}
    assert public.decoded.payload == b"TOLONG palsu" and not public.pki_encrypted and not public.public_key
    assert shut.WhichOneof("payload_variant") == "encrypted" and not shut.pki_encrypted
    assert (genuine.pki_encrypted, genuine.public_key) == (True, house.public_key)
    assert gateway.radio.keys[house.num] == house.public_key
    assert texts(gateway) == ["TOLONG palsu", "rahasia asli"]


def test_a_stranger_writes_on_the_channel_until_nodes_have_met():
    with village_with() as village:
        gateway, stranger = village.gateway("GW1"), village.house("baru", stranger=True)
        stranger.text("halo", to=gateway.num)
        assert not gateway.wait_for(anything, 5).pki
        stranger.announce()
        gateway.announce()
        until(lambda: stranger.num in gateway.radio.keys and gateway.num in stranger.radio.keys, "they have met")
        stranger.text("rahasia", to=gateway.num)
        assert gateway.wait_for(lambda received: received.text == "rahasia", 5).pki


def test_a_direct_text_to_somebody_who_lacks_our_key_is_refused_by_name():
    with village_with() as village:
        gateway, stranger = village.gateway("GW1"), village.house("baru", stranger=True)
        stranger.meet(gateway)
        sent = stranger.text("rahasia", to=gateway.num)
        assert stranger.wait_for_outcome(sent, 5, by=gateway.num).error == "PKI_UNKNOWN_PUBKEY"
        assert texts(gateway) == []


def test_a_house_without_power_hears_nothing():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        house.power(False)
        assert gateway.wait_for_outcome(gateway.text("halo", to=house.num), 5).error == "MAX_RETRANSMIT"
        house.power(True)
        gateway.wait_for_outcome(gateway.text("lagi", to=house.num), 5, by=house.num)
        assert texts(house) == ["lagi"]


def test_a_wait_that_fails_says_what_came_instead():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        house.text("lain")
        gateway.wait_for(anything, 5)
        with pytest.raises(TimeoutError, match="lain"):
            gateway.wait_for(lambda received: received.text == "ini", 0.05)


def test_a_name_belongs_to_one_node_and_a_channel_must_be_known():
    village = village_with()
    house = village.house("RT01-01")
    with pytest.raises(ValueError, match="already"):
        village.house("RT01-01")
    with pytest.raises(ValueError, match="Jember"):
        house.text("halo", channel="Jember")


def test_a_reaction_keeps_its_fields():
    with village_with() as village:
        gateway, house = village.gateway("GW1"), village.house("RT01-01")
        with connect(gateway) as client:
            client.handshake()
            client.everything()
            house.raw(portnums_pb2.TEXT_MESSAGE_APP, "👍".encode(), reply_id=12, emoji=1, id=77)
            told = client.told(lambda told: any(kind(t) == "packet" for t in told))
    data: mesh_pb2.Data = told[-1].packet.decoded
    assert (told[-1].packet.id, data.reply_id, data.emoji) == (77, 12, 1)
