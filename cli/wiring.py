"""The only place that names concrete classes: from settings to a bridge that can run."""

import datetime
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from bridge.codec.answers import Answers
from bridge.codec.line import LineCodec
from bridge.codec.reader import Reader
from bridge.codec.stock import ChannelRule, StockCodec
from bridge.config import Config, cautions
from bridge.control import ControlSocket
from bridge.domain.alarm import Moment
from bridge.domain.errors import JournalBusy, JournalFailed
from bridge.domain.ids import Run
from bridge.domain.ports import Clock, Input, Uplink
from bridge.edges.clock import SystemClock
from bridge.edges.siren import NoSiren
from bridge.edges.siren_bank import SirenBank
from bridge.edges.sirens import build_sirens
from bridge.engine import Engine
from bridge.lease import Leasing
from bridge.questions import Questions
from bridge.runtime import Inbox, Runtime
from bridge.sources import Register, load_sources
from bridge.sources import cautions as source_cautions
from bridge.store.journal import Journal, without_disk
from bridge.store.reader import JournalReader
from bridge.store.worker import JournalWorker
from cli.settings import read_signer
from cli.version import program_version
from mqtt.signature import Keyring, Signer

if TYPE_CHECKING:
    from bridge.edges.mesh_radio import MeshRadio

log = structlog.get_logger()

RADIO = "gw1"


def build(config: Config) -> Runtime:
    """A bridge ready to run. Raises ConfigError, JournalBusy; an unplugged radio, a broker away, a sick disk do not."""
    register = load_sources(config.sources, config.post.id)
    for caution in (*cautions(config), *source_cautions(config.sources, register)):
        log.warning("caution", what=caution.english)
    signer = read_signer(config) if config.uplink else None
    inbox = Inbox()
    start = _Start(config)
    clock = SystemClock(start.run.start)
    worker = JournalWorker(start.journal, clock, open_journal=start.open)
    if start.journal is None:
        worker.suspect()  # tried again from now on, and shown as a fault, not only at the first alarm
    reader = JournalReader(config.journal.path, worker.suspect, worker.is_hung)
    lamps = tuple(wired.name for wired in config.input if wired.driver == "line")
    engine = Engine(config.post_id, start.run, start.memory, register, clock.now(), _names(config), lamps)
    radios = _radios(config, clock, register)
    inputs = _inputs(config, start.run, clock, register)
    uplinks = _uplinks(config, signer, start.run, clock, reader, engine, radios)
    sirens = _sirens(config, clock)
    questions = Questions(
        post=config.post_id,
        run=start.run,
        clock=clock,
        deliver=inbox.put,
        reader=reader,
        about=_about(config),
        parts=lambda: (
            {r.name: r.picture() for r in radios}
            | {u.name: u.picture() for u in uplinks}
            | {i.name: i.picture() for i in inputs}
        ),
        stations=lambda: {r.name: r.station() for r in radios},
        sirens=sirens if isinstance(sirens, SirenBank) else None,
    )
    log.info("bridge starts", post=str(config.post_id), start=start.run.start, waiting=start.pending)
    return Runtime(
        engine=engine,
        inbox=inbox,
        clock=clock,
        journal=worker,
        siren=sirens,
        radios=radios,
        uplinks=uplinks,
        inputs=inputs,
        listeners=(ControlSocket(config.control.socket, questions.asks(), talks={"lease": Leasing(radios)}),),
    )


class _Start:
    """What the journal gives at start; where the disk is sick, a run from memory: the siren must not wait for it."""

    def __init__(self, config: Config) -> None:
        self._path, self._bits = config.journal.path, secrets.token_hex(8)
        self.journal: Journal | None = None
        try:
            self.journal = self.open()
            loaded = self.journal.load()
        except JournalBusy:
            raise
        except JournalFailed as error:
            log.error("no journal; alarms go out from memory", why=str(error))
            self._put_back()
            self.run, loaded = without_disk(self._bits, self._now())
        else:
            self.run = self.journal.run
        self.memory, self.pending = loaded.memory, loaded.pending

    def open(self) -> Journal:
        """Also for the worker, which tries again until the disk is well. Raises JournalFailed."""
        return Journal.open(self._path, run_bits=self._bits, moment=self._now())

    def _put_back(self) -> None:
        """One that opens and cannot be read is opened once more by the worker, who tells when that succeeds."""
        journal, self.journal = self.journal, None
        if journal is not None:
            journal.close()

    def _now(self) -> Moment:
        return SystemClock(0).now()


def _sirens(config: Config, clock: Clock) -> SirenBank | NoSiren:
    def local() -> datetime.time | None:
        now = clock.now()
        return datetime.datetime.fromtimestamp(now.wall_s).time() if now.trusted else None

    return build_sirens(config.siren, config.output, config.rhythm.rules(), local)


def _inputs(config: Config, run: Run, clock: Clock, register: Register) -> tuple[Input, ...]:
    if not config.input:
        return ()
    from bridge.edges.inputs import build_input  # memory that a post without wires need not pay

    return tuple(
        build_input(
            wired,
            post=config.post_id,
            run=run,
            codebook=config.rhythm.load(),
            lines=LineCodec(register, config.post.id),
            compose=_answers(config, register).compose,
            clock=clock,
        )
        for wired in config.input
    )


def _answers(config: Config, register: Register) -> Answers:
    return Answers(config.post.language, config.post.phones, config.post.id, register)


def _radios(config: Config, clock: Clock, register: Register) -> "tuple[MeshRadio, ...]":
    if not config.radio.url:
        return ()
    from bridge.edges.mesh_radio import MeshRadio  # protobuf costs memory that a post without a radio need not pay

    rule = ChannelRule(frozenset(config.radio.channels), config.radio.allow_public_key)
    stock = StockCodec(rule, sensors=register.sensors, texts=register.texts)
    radio = MeshRadio(
        config.radio.url,
        name=RADIO,
        clock=clock,
        interpret=Reader(stock, LineCodec(register, config.post.id)).read,
        compose=_answers(config, register).compose,
        clock_trusted=lambda: clock.now().trusted,
        trouble=rule.trouble,
    )
    return (radio,)


def _uplinks(
    config: Config,
    signer: Signer | None,
    run: Run,
    clock: Clock,
    reader: JournalReader,
    engine: Engine,
    radios: "tuple[MeshRadio, ...]",
) -> tuple[Uplink, ...]:
    """One for each way to the desk; the same key signs on all of them."""
    if signer is None:
        return ()
    from mqtt.session import SessionConfig
    from mqtt.uplink import MqttUplink

    desks = Keyring.of(config.desk.keys)
    client = f"kentongan-{config.post.village}-{config.post.id}"
    return tuple(
        MqttUplink(
            name,
            config.post_id,
            run,
            SessionConfig(client_id=client, **uplink.model_dump()),
            signer,
            desks,
            page=reader.page,
            clock=clock,
            version=program_version(),
            seen=engine.marks,
            waiting=lambda: _waiting(reader),
            well=lambda: (engine.faults(), {radio.name: radio.picture() for radio in radios}),
        )
        for name, uplink in zip(_names(config), config.uplink, strict=True)
    )


def _waiting(reader: JournalReader) -> int:
    """A journal that cannot be read is a fault that its own worker reports; there is nothing to send from it."""
    try:
        return reader.pending()
    except JournalFailed:
        return 0


def _names(config: Config) -> tuple[str, ...]:
    """Each way to the desk as people see it: where its broker is; numbered when that is not enough."""
    places = [urlsplit(uplink.url).netloc for uplink in config.uplink]
    return tuple(
        place if places.count(place) == 1 else f"{place}#{number}" for number, place in enumerate(places, start=1)
    )


def _about(config: Config) -> dict[str, object]:
    """What the status shows and never changes while the bridge runs."""
    return {
        "version": program_version(),
        "radio_url": config.radio.url,
        "uplink_urls": [uplink.url for uplink in config.uplink],
        "siren": config.siren.command,
        "inputs": [wired.name for wired in config.input],
        "outputs": [output.name for output in config.output],
    }
