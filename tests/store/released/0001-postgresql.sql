CREATE TABLE public.audience_versions (
    audience_id integer NOT NULL,
    version integer NOT NULL,
    origin character varying(16) NOT NULL,
    run_id character varying(64) NOT NULL,
    rows_version integer NOT NULL,
    rejects_version integer,
    members bigint NOT NULL,
    receipt text NOT NULL,
    file_timestamp bigint,
    content_digest character varying(128) NOT NULL,
    profiles_revision integer NOT NULL,
    created timestamp with time zone NOT NULL
);
CREATE TABLE public.audiences (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    type character varying(16) NOT NULL,
    source_id integer,
    segment character varying(255) NOT NULL,
    version integer NOT NULL,
    members bigint NOT NULL,
    created timestamp with time zone NOT NULL,
    modified timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.audiences_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audiences_id_seq OWNED BY public.audiences.id;
CREATE TABLE public.runs (
    id character varying(64) NOT NULL,
    work character varying(64) NOT NULL,
    subject character varying(255) NOT NULL,
    state character varying(16) NOT NULL,
    pid integer NOT NULL,
    started timestamp with time zone NOT NULL,
    finished timestamp with time zone,
    error character varying(128) NOT NULL
);
CREATE TABLE public.sequences (
    name character varying(64) NOT NULL,
    next bigint NOT NULL
);
CREATE TABLE public.source_keys (
    source_id integer NOT NULL,
    version integer NOT NULL,
    wrapped bytea NOT NULL,
    created timestamp with time zone NOT NULL
);
CREATE TABLE public.sources (
    id integer NOT NULL,
    name character varying(64) NOT NULL,
    kind character varying(16) NOT NULL,
    key character varying(64) NOT NULL,
    protection character varying(16) NOT NULL,
    channel character varying(16) NOT NULL,
    dpid bigint,
    priority integer NOT NULL,
    encoding character varying(16) NOT NULL,
    iv_prefixed boolean NOT NULL,
    scheme character varying(64) NOT NULL,
    region character varying(8) NOT NULL,
    on_ambiguous character varying(16) NOT NULL,
    "timestamp" character varying(16) NOT NULL,
    terms text NOT NULL,
    terms_accepted_at timestamp with time zone,
    terms_accepted_by text NOT NULL,
    key_version integer NOT NULL,
    created timestamp with time zone NOT NULL,
    modified timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.sources_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sources_id_seq OWNED BY public.sources.id;
CREATE TABLE public.states (
    name character varying(255) NOT NULL,
    lake_version integer NOT NULL,
    revision bigint NOT NULL,
    facts text NOT NULL
);
CREATE TABLE public.symbolon_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY public.audiences ALTER COLUMN id SET DEFAULT nextval('public.audiences_id_seq'::regclass);
ALTER TABLE ONLY public.sources ALTER COLUMN id SET DEFAULT nextval('public.sources_id_seq'::regclass);
INSERT INTO public.audience_versions VALUES (1, 1, 'import', 'r1', 0, NULL, 11, '{"audience":"vip","version":1,"source":"","segment":"","files":["a.sync"],"mode":"full","lines":0,"other_segments":0,"received":0,"accepted":0,"matched":0,"unmatched":0,"unmatched_reasons":{},"removals":0,"withheld":0,"ambiguous":0,"members":0,"added":0,"removed":0,"rejected":{"malformed_id":2},"warnings":["ü"],"unchanged":false,"seconds":0.5}', NULL, '00ff', 7, '2026-03-29 02:30:00.123456+00');
INSERT INTO public.audiences VALUES (2, 'list', 'list', NULL, '', 0, 0, '2026-03-29 02:30:00.123456+00', '2026-03-29 02:30:00.123456+00');
INSERT INTO public.audiences VALUES (1, 'vip', 'shared', 1, '100', 1, 11, '2026-03-29 02:30:00.123456+00', '2026-03-29 02:30:00.123456+00');
INSERT INTO public.runs VALUES ('20260329T023000123456-abcdef', 'audience import', 'vip', 'done', 1, '2026-03-29 02:30:00.123456+00', '2026-03-29 02:30:00.123456+00', '');
INSERT INTO public.sequences VALUES ('profile', 42);
INSERT INTO public.source_keys VALUES (1, 1, '\x006f6e65', '2026-03-29 02:30:00.123456+00');
INSERT INTO public.source_keys VALUES (1, 2, '\xff74776f', '2026-03-29 02:30:00.123456+00');
INSERT INTO public.sources VALUES (1, 'crm-email', 'declared', 'email', 'aes-cbc', 'email', 1099511627776, -3, 'base64', true, 'other', 'FR', 'reject', 'seconds', 'Ünïcode ''terms''
"two lines"', '2026-03-29 02:30:00.123456+00', 'somebody', 2, '2026-03-29 02:30:00.123456+00', '2026-03-29 02:30:01.123456+00');
INSERT INTO public.sources VALUES (3, 'numbers', 'declared', 'external_id', 'plain', 'other', NULL, 0, 'hex', false, 'adobe', '', 'all', 'milliseconds', '', NULL, '', 0, '2026-03-29 02:30:00.123456+00', '2026-03-29 02:30:00.123456+00');
INSERT INTO public.states VALUES ('profiles', 3, 2, '{"count":3,"columns":["a","ü"]}');
INSERT INTO public.symbolon_version VALUES ('0001');
SELECT pg_catalog.setval('public.audiences_id_seq', 2, true);
SELECT pg_catalog.setval('public.sources_id_seq', 4, true);
ALTER TABLE ONLY public.audience_versions
    ADD CONSTRAINT pk_audience_versions PRIMARY KEY (audience_id, version);
ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT pk_audiences PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT pk_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.sequences
    ADD CONSTRAINT pk_sequences PRIMARY KEY (name);
ALTER TABLE ONLY public.source_keys
    ADD CONSTRAINT pk_source_keys PRIMARY KEY (source_id, version);
ALTER TABLE ONLY public.sources
    ADD CONSTRAINT pk_sources PRIMARY KEY (id);
ALTER TABLE ONLY public.states
    ADD CONSTRAINT pk_states PRIMARY KEY (name);
ALTER TABLE ONLY public.symbolon_version
    ADD CONSTRAINT symbolon_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT uq_audiences_name UNIQUE (name);
ALTER TABLE ONLY public.sources
    ADD CONSTRAINT uq_sources_name UNIQUE (name);
CREATE INDEX ix_audiences_source_id ON public.audiences USING btree (source_id);
CREATE INDEX ix_runs_started ON public.runs USING btree (started);
ALTER TABLE ONLY public.audience_versions
    ADD CONSTRAINT fk_audience_versions_audience_id FOREIGN KEY (audience_id) REFERENCES public.audiences(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT fk_audiences_source_id FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.source_keys
    ADD CONSTRAINT fk_source_keys_source_id FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE CASCADE;
