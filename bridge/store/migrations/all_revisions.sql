CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE journal (
	id INTEGER NOT NULL,
	uuid VARCHAR NOT NULL,
	starts INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE run (
	start INTEGER NOT NULL,
	bits VARCHAR NOT NULL,
	wall_s FLOAT NOT NULL,
	trusted BOOLEAN NOT NULL,
	PRIMARY KEY (start)
);
CREATE TABLE alarm (
	sequence INTEGER NOT NULL,
	id TEXT NOT NULL,
	source VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	stage INTEGER NOT NULL,
	latest_wall_s FLOAT NOT NULL,
	kept_from_s FLOAT,
	state TEXT NOT NULL,
	PRIMARY KEY (sequence),
	UNIQUE (id)
);
CREATE INDEX ix_alarm_kept_from_s ON alarm (kept_from_s);
CREATE TABLE press (
	id TEXT NOT NULL,
	alarm INTEGER NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(alarm) REFERENCES alarm (sequence) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_press_alarm ON press (alarm);
CREATE TABLE sighting (
	alarm INTEGER NOT NULL,
	press TEXT NOT NULL,
	radio VARCHAR NOT NULL,
	at FLOAT NOT NULL,
	snr_db FLOAT,
	rssi_dbm INTEGER,
	hops INTEGER,
	PRIMARY KEY (alarm, press, radio, at),
	FOREIGN KEY(alarm) REFERENCES alarm (sequence) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE outbox (
	sequence INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	receipted INTEGER NOT NULL,
	body TEXT NOT NULL,
	sha256 VARCHAR NOT NULL,
	first_start INTEGER NOT NULL,
	first_mono_s FLOAT NOT NULL,
	first_wall_s FLOAT NOT NULL,
	first_trusted BOOLEAN NOT NULL,
	first_boot VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	PRIMARY KEY (sequence),
	FOREIGN KEY(sequence) REFERENCES alarm (sequence) ON DELETE CASCADE
);
CREATE INDEX outbox_pending ON outbox (sequence) WHERE receipted < revision;
CREATE TABLE reply (
	alarm INTEGER NOT NULL,
	step VARCHAR NOT NULL,
	at FLOAT NOT NULL,
	outcome VARCHAR NOT NULL,
	PRIMARY KEY (alarm, step, at),
	FOREIGN KEY(alarm) REFERENCES alarm (sequence) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE word (
	desk VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	kind VARCHAR NOT NULL,
	alarm VARCHAR NOT NULL,
	source VARCHAR NOT NULL,
	stage INTEGER,
	"by" VARCHAR NOT NULL,
	text TEXT NOT NULL,
	fate VARCHAR NOT NULL,
	at FLOAT NOT NULL,
	detail VARCHAR NOT NULL,
	PRIMARY KEY (desk, number)
);
CREATE TABLE mark (
	desk VARCHAR NOT NULL,
	"database" VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	token VARCHAR NOT NULL,
	PRIMARY KEY (desk)
);
INSERT INTO alembic_version (version_num) VALUES ('journal_0001');
