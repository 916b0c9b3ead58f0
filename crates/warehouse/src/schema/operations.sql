-- Tables that the tools keep their own records in. One column a line: init-db reads this file to tell what is missing
-- in a database (schema/operations.rs).

-- mirror42 operations: one row for every load that was committed
CREATE TABLE ops.loads (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    table_name text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    scope jsonb,
    sha256 text,
    walk_started timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    read bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    deleted bigint NOT NULL,
    quarantined bigint NOT NULL,
    released bigint NOT NULL,
    rejected bigint NOT NULL,
    out_of_scope bigint NOT NULL,
    duplicates bigint NOT NULL,
    stale bigint NOT NULL,
    cascaded jsonb NOT NULL,
    seconds double precision NOT NULL,
    erased bigint NOT NULL DEFAULT 0,
    CONSTRAINT loads_pkey PRIMARY KEY (id)
);
CREATE INDEX loads_table_name_idx ON ops.loads (table_name, id);
CREATE INDEX loads_changed_idx ON ops.loads (table_name, id) WHERE (((inserted + updated) + deleted) > 0);
CREATE INDEX loads_full_idx ON ops.loads (table_name, id) WHERE (kind = 'full'::text);
CREATE INDEX loads_finished_at_idx ON ops.loads (finished_at);

-- mirror42 operations: up to when the changes of a table are in the mirror; moves only with the rows
CREATE TABLE ops.watermarks (
    table_name text NOT NULL,
    watermark timestamp with time zone NOT NULL,
    load_id bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT watermarks_pkey PRIMARY KEY (table_name)
);

-- mirror42 operations: records that wait for their parent, or for a catalog that can type them
CREATE TABLE ops.quarantine (
    table_name text NOT NULL,
    record_key text NOT NULL,
    reason_kind text NOT NULL,
    reason text NOT NULL,
    parent_table text,
    parent_key text,
    row jsonb,
    record text,
    first_seen timestamp with time zone NOT NULL DEFAULT now(),
    load_id bigint NOT NULL,
    CONSTRAINT quarantine_pkey PRIMARY KEY (table_name, record_key),
    CONSTRAINT quarantine_reason_kind_check CHECK ((reason_kind = ANY (ARRAY['parent'::text, 'type'::text])))
);
CREATE INDEX quarantine_parent_idx ON ops.quarantine (parent_table, parent_key);

-- mirror42 operations: people who were erased, whom no old record brings back; lifted_at when they came again
CREATE TABLE ops.tombstones (
    user_id bigint NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    why text NOT NULL,
    lifted_at timestamp with time zone,
    CONSTRAINT tombstones_pkey PRIMARY KEY (user_id),
    CONSTRAINT tombstones_why_check CHECK ((why = ANY (ARRAY['due'::text, 'left'::text, 'request'::text])))
);

-- mirror42 operations: users who wait to be fetched by backlog process (BACKLOG_STORE=postgres), the dead included
CREATE TABLE ops.backlog (
    id bigint NOT NULL,
    reason text NOT NULL,
    added_at timestamp with time zone NOT NULL DEFAULT now(),
    due_at timestamp with time zone NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    error text,
    lease_owner text,
    lease_until timestamp with time zone,
    again boolean NOT NULL DEFAULT false,
    died_at timestamp with time zone,
    CONSTRAINT backlog_pkey PRIMARY KEY (id)
);
CREATE INDEX backlog_due_at_idx ON ops.backlog (due_at, id);
CREATE INDEX backlog_lease_until_idx ON ops.backlog (lease_until) WHERE (lease_until IS NOT NULL);

-- mirror42 operations: users whom the backlog is done with, of the last 30 days
CREATE TABLE ops.backlog_processed (
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    id bigint NOT NULL,
    reason text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    processed_at timestamp with time zone NOT NULL DEFAULT now(),
    outcome text NOT NULL,
    attempts integer NOT NULL,
    seconds double precision,
    CONSTRAINT backlog_processed_pkey PRIMARY KEY (number)
);
CREATE INDEX backlog_processed_processed_at_idx ON ops.backlog_processed (processed_at);

-- mirror42 operations: one row for every run of a job; written by job-run, read by job-monitor
CREATE TABLE ops.job_executions (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    run uuid NOT NULL,
    seq bigint NOT NULL,
    job_name text NOT NULL,
    job_type text NOT NULL,
    status text NOT NULL,
    total_items bigint,
    items_processed bigint NOT NULL DEFAULT 0,
    items_succeeded bigint NOT NULL DEFAULT 0,
    items_failed bigint NOT NULL DEFAULT 0,
    items_skipped bigint NOT NULL DEFAULT 0,
    items_per_second double precision,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    exit_code integer,
    term_signal integer,
    error_message text,
    warning text,
    parent_run uuid,
    host text NOT NULL,
    pid integer NOT NULL,
    lease text NOT NULL,
    checkpoint jsonb,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT job_executions_pkey PRIMARY KEY (id),
    CONSTRAINT job_executions_checkpoint_check CHECK ((octet_length((checkpoint)::text) <= 2048)),
    CONSTRAINT job_executions_completed_check CHECK (((status = 'running'::text) = (completed_at IS NULL))),
    CONSTRAINT job_executions_items_check CHECK ((items_processed = ((items_succeeded + items_failed) + items_skipped))),
    CONSTRAINT job_executions_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT job_executions_run_key UNIQUE (run),
    CONSTRAINT job_executions_status_check CHECK ((status = ANY (ARRAY['running'::text, 'completed'::text, 'partial'::text, 'failed'::text, 'cancelled'::text, 'lost'::text])))
);
CREATE UNIQUE INDEX job_executions_live_idx ON ops.job_executions (job_name) WHERE (status = 'running'::text);
CREATE INDEX job_executions_name_idx ON ops.job_executions (job_name, started_at);
CREATE INDEX job_executions_history_idx ON ops.job_executions (((started_at AT TIME ZONE 'UTC'::text)), id);
CREATE INDEX job_executions_failed_idx ON ops.job_executions (completed_at) WHERE (status = ANY (ARRAY['failed'::text, 'lost'::text]));

-- mirror42 operations: one row for every run of check-integrity, those that failed too, of the last 30 days
CREATE TABLE ops.integrity_runs (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    whole boolean NOT NULL,
    status text NOT NULL,
    total_checked bigint NOT NULL,
    inconsistent bigint NOT NULL,
    findings bigint NOT NULL,
    people bigint NOT NULL,
    error text,
    host text NOT NULL,
    CONSTRAINT integrity_runs_pkey PRIMARY KEY (id),
    CONSTRAINT integrity_runs_status_check CHECK ((status = ANY (ARRAY['healthy'::text, 'degraded'::text, 'critical'::text, 'unknown'::text])))
);
CREATE INDEX integrity_runs_finished_at_idx ON ops.integrity_runs (finished_at);

-- mirror42 operations: how each check of check-integrity came out last
CREATE TABLE ops.integrity_checks (
    check_name text NOT NULL,
    table_name text NOT NULL,
    place integer NOT NULL,
    status text NOT NULL,
    severity text NOT NULL,
    total bigint NOT NULL,
    inconsistent bigint NOT NULL,
    findings bigint NOT NULL,
    reason text,
    seconds double precision NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    run_id bigint NOT NULL,
    CONSTRAINT integrity_checks_pkey PRIMARY KEY (check_name, table_name),
    CONSTRAINT integrity_checks_status_check CHECK ((status = ANY (ARRAY['healthy'::text, 'degraded'::text, 'critical'::text, 'unknown'::text, 'not_applicable'::text])))
);

-- mirror42 operations: what check-integrity found, one row for each subject; resolved when a run finds it no more, and kept 30 days longer
CREATE TABLE ops.integrity_violations (
    check_name text NOT NULL,
    table_name text NOT NULL,
    subject text NOT NULL,
    finding json NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    times_seen integer NOT NULL,
    reopened integer NOT NULL DEFAULT 0,
    resolved_at timestamp with time zone,
    run_id bigint NOT NULL,
    CONSTRAINT integrity_violations_pkey PRIMARY KEY (check_name, table_name, subject)
);
CREATE INDEX integrity_violations_open_idx ON ops.integrity_violations (check_name, table_name) WHERE (resolved_at IS NULL);
