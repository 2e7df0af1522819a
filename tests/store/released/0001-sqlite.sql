BEGIN TRANSACTION;
CREATE TABLE audience_versions (
	audience_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	origin VARCHAR(16) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	rows_version INTEGER NOT NULL, 
	rejects_version INTEGER, 
	members BIGINT NOT NULL, 
	receipt TEXT NOT NULL, 
	file_timestamp BIGINT, 
	content_digest VARCHAR(128) NOT NULL, 
	profiles_revision INTEGER NOT NULL, 
	created DATETIME NOT NULL, 
	CONSTRAINT pk_audience_versions PRIMARY KEY (audience_id, version), 
	CONSTRAINT fk_audience_versions_audience_id FOREIGN KEY(audience_id) REFERENCES audiences (id) ON DELETE CASCADE
);
INSERT INTO "audience_versions" VALUES(1,1,'import','r1',0,NULL,11,'{"audience":"vip","version":1,"source":"","segment":"","files":["a.sync"],"mode":"full","lines":0,"other_segments":0,"received":0,"accepted":0,"matched":0,"unmatched":0,"unmatched_reasons":{},"removals":0,"withheld":0,"ambiguous":0,"members":0,"added":0,"removed":0,"rejected":{"malformed_id":2},"warnings":["ü"],"unchanged":false,"seconds":0.5}',NULL,'00ff',7,'2026-03-29 02:30:00.123456');
CREATE TABLE audiences (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(255) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	source_id INTEGER, 
	segment VARCHAR(255) NOT NULL, 
	version INTEGER NOT NULL, 
	members BIGINT NOT NULL, 
	created DATETIME NOT NULL, 
	modified DATETIME NOT NULL, 
	CONSTRAINT uq_audiences_name UNIQUE (name), 
	CONSTRAINT fk_audiences_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE RESTRICT
);
INSERT INTO "audiences" VALUES(1,'vip','shared',1,'100',1,11,'2026-03-29 02:30:00.123456','2026-03-29 02:30:00.123456');
INSERT INTO "audiences" VALUES(2,'list','list',NULL,'',0,0,'2026-03-29 02:30:00.123456','2026-03-29 02:30:00.123456');
CREATE TABLE runs (
	id VARCHAR(64) NOT NULL, 
	work VARCHAR(64) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	pid INTEGER NOT NULL, 
	started DATETIME NOT NULL, 
	finished DATETIME, 
	error VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('20260329T023000123456-abcdef','audience import','vip','done',1,'2026-03-29 02:30:00.123456','2026-03-29 02:30:00.123456','');
CREATE TABLE sequences (
	name VARCHAR(64) NOT NULL, 
	next BIGINT NOT NULL, 
	CONSTRAINT pk_sequences PRIMARY KEY (name)
);
INSERT INTO "sequences" VALUES('profile',42);
CREATE TABLE source_keys (
	source_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	wrapped BLOB NOT NULL, 
	created DATETIME NOT NULL, 
	CONSTRAINT pk_source_keys PRIMARY KEY (source_id, version), 
	CONSTRAINT fk_source_keys_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE CASCADE
);
INSERT INTO "source_keys" VALUES(1,1,X'006F6E65','2026-03-29 02:30:00.123456');
INSERT INTO "source_keys" VALUES(1,2,X'FF74776F','2026-03-29 02:30:00.123456');
CREATE TABLE sources (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	protection VARCHAR(16) NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	dpid BIGINT, 
	priority INTEGER NOT NULL, 
	encoding VARCHAR(16) NOT NULL, 
	iv_prefixed BOOLEAN NOT NULL, 
	scheme VARCHAR(64) NOT NULL, 
	region VARCHAR(8) NOT NULL, 
	on_ambiguous VARCHAR(16) NOT NULL, 
	timestamp VARCHAR(16) NOT NULL, 
	terms TEXT NOT NULL, 
	terms_accepted_at DATETIME, 
	terms_accepted_by TEXT NOT NULL, 
	key_version INTEGER NOT NULL, 
	created DATETIME NOT NULL, 
	modified DATETIME NOT NULL, 
	CONSTRAINT uq_sources_name UNIQUE (name)
);
INSERT INTO "sources" VALUES(1,'crm-email','declared','email','aes-cbc','email',1099511627776,-3,'base64',1,'other','FR','reject','seconds','Ünïcode ''terms''
"two lines"','2026-03-29 02:30:00.123456','somebody',2,'2026-03-29 02:30:00.123456','2026-03-29 02:30:01.123456');
INSERT INTO "sources" VALUES(3,'numbers','declared','external_id','plain','other',NULL,0,'hex',0,'adobe','','all','milliseconds','',NULL,'',0,'2026-03-29 02:30:00.123456','2026-03-29 02:30:00.123456');
CREATE TABLE states (
	name VARCHAR(255) NOT NULL, 
	lake_version INTEGER NOT NULL, 
	revision BIGINT NOT NULL, 
	facts TEXT NOT NULL, 
	CONSTRAINT pk_states PRIMARY KEY (name)
);
INSERT INTO "states" VALUES('profiles',3,2,'{"count":3,"columns":["a","ü"]}');
CREATE TABLE symbolon_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT symbolon_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "symbolon_version" VALUES('0001');
CREATE INDEX ix_audiences_source_id ON audiences (source_id);
CREATE INDEX ix_runs_started ON runs (started);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sources',4);
INSERT INTO "sqlite_sequence" VALUES('audiences',2);
COMMIT;
