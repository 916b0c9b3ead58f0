CREATE SCHEMA IF NOT EXISTS ops;

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
COMMENT ON TABLE ops.loads IS 'mirror42 operations: one row for every load that was committed';

CREATE TABLE ops.watermarks (
    table_name text NOT NULL,
    watermark timestamp with time zone NOT NULL,
    load_id bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT watermarks_pkey PRIMARY KEY (table_name)
);
COMMENT ON TABLE ops.watermarks IS 'mirror42 operations: up to when the changes of a table are in the mirror; moves only with the rows';

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
COMMENT ON TABLE ops.quarantine IS 'mirror42 operations: records that wait for their parent, or for a catalog that can type them';

CREATE TABLE ops.tombstones (
    user_id bigint NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    why text NOT NULL,
    lifted_at timestamp with time zone,
    CONSTRAINT tombstones_pkey PRIMARY KEY (user_id),
    CONSTRAINT tombstones_why_check CHECK ((why = ANY (ARRAY['due'::text, 'left'::text, 'request'::text])))
);
COMMENT ON TABLE ops.tombstones IS 'mirror42 operations: people who were erased, whom no old record brings back; lifted_at when they came again';

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
COMMENT ON TABLE ops.backlog IS 'mirror42 operations: users who wait to be fetched by backlog process (BACKLOG_STORE=postgres), the dead included';

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
COMMENT ON TABLE ops.backlog_processed IS 'mirror42 operations: users whom the backlog is done with, of the last 30 days';

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
COMMENT ON TABLE ops.job_executions IS 'mirror42 operations: one row for every run of a job; written by job-run, read by job-monitor';

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
COMMENT ON TABLE ops.integrity_runs IS 'mirror42 operations: one row for every run of check-integrity, those that failed too, of the last 30 days';

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
COMMENT ON TABLE ops.integrity_checks IS 'mirror42 operations: how each check of check-integrity came out last';

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
COMMENT ON TABLE ops.integrity_violations IS 'mirror42 operations: what check-integrity found, one row for each subject; resolved when a run finds it no more, and kept 30 days longer';

CREATE TABLE cursus (
    id bigint NOT NULL,
    name text,
    slug text,
    kind text,
    created_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT cursus_pkey PRIMARY KEY (id),
    CONSTRAINT cursus_kind_check CHECK ((kind = ANY (ARRAY['main'::text, 'main_deprecated'::text, 'piscine'::text, 'piscine_deprecated'::text, 'piscine_community'::text, 'test'::text, 'external'::text, 'external_deprecated'::text, 'professional_training'::text, 'professional_training_deprecated'::text])))
);
CREATE INDEX cursus_slug_idx ON cursus (slug);
COMMENT ON TABLE cursus IS 'mirror42 01_cursus: Every cursus of the school';

CREATE TABLE campuses (
    id bigint NOT NULL,
    name text,
    time_zone text,
    language_id bigint,
    language_name text,
    language_identifier text,
    users_count integer,
    vogsphere_id bigint,
    country text,
    address text,
    zip text,
    city text,
    website text,
    facebook text,
    twitter text,
    public boolean,
    active boolean,
    email_extension text,
    default_hidden_phone boolean,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT campuses_pkey PRIMARY KEY (id)
);
CREATE INDEX campuses_city_idx ON campuses (city);
CREATE INDEX campuses_public_idx ON campuses (public);
CREATE INDEX campuses_active_idx ON campuses (active);
COMMENT ON TABLE campuses IS 'mirror42 02_campus: Every campus, also those that are closed or not public: projects and students still point at them';

CREATE TABLE achievements (
    id bigint NOT NULL,
    name text,
    description text,
    tier text,
    kind text,
    visible boolean,
    image text,
    nbr_of_success integer,
    users_url text,
    parent_id bigint,
    title_id bigint,
    title text,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT achievements_pkey PRIMARY KEY (id),
    CONSTRAINT achievements_tier_check CHECK ((tier = ANY (ARRAY['none'::text, 'easy'::text, 'medium'::text, 'hard'::text, 'challenge'::text]))),
    CONSTRAINT achievements_kind_check CHECK ((kind = ANY (ARRAY['project'::text, 'social'::text, 'pedagogy'::text, 'scolarity'::text])))
);
CREATE INDEX achievements_parent_id_idx ON achievements (parent_id);
COMMENT ON TABLE achievements IS 'mirror42 03_achievements: Every achievement (badge) that can be earned';

CREATE TABLE campus_achievements (
    campus_id bigint NOT NULL,
    achievement_id bigint NOT NULL,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT campus_achievements_pkey PRIMARY KEY (campus_id, achievement_id),
    CONSTRAINT campus_achievements_campus_id_fkey FOREIGN KEY (campus_id) REFERENCES campuses(id) ON DELETE CASCADE,
    CONSTRAINT campus_achievements_achievement_id_fkey FOREIGN KEY (achievement_id) REFERENCES achievements(id) ON DELETE CASCADE
);
CREATE INDEX campus_achievements_achievement_id_idx ON campus_achievements (achievement_id);
COMMENT ON TABLE campus_achievements IS 'mirror42 04_campus_achievements: Which achievement can be earned at which campus; the API gives the campuses by name';

CREATE TABLE projects (
    id bigint NOT NULL,
    name text,
    slug text,
    parent_id bigint,
    difficulty integer,
    exam boolean,
    git_id bigint,
    repository text,
    recommendation text,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT projects_pkey PRIMARY KEY (id)
);
CREATE INDEX projects_slug_idx ON projects (slug);
CREATE INDEX projects_parent_id_idx ON projects (parent_id);
COMMENT ON TABLE projects IS 'mirror42 05_projects: Projects of the cursus';

CREATE TABLE campus_projects (
    campus_id bigint NOT NULL,
    project_id bigint NOT NULL,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT campus_projects_pkey PRIMARY KEY (campus_id, project_id),
    CONSTRAINT campus_projects_campus_id_fkey FOREIGN KEY (campus_id) REFERENCES campuses(id) ON DELETE CASCADE,
    CONSTRAINT campus_projects_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE
);
CREATE INDEX campus_projects_project_id_idx ON campus_projects (project_id);
COMMENT ON TABLE campus_projects IS 'mirror42 06_campus_projects: Which project is offered at which campus';

CREATE TABLE project_sessions (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    campus_id bigint,
    cursus_id bigint,
    begin_at timestamp with time zone,
    end_at timestamp with time zone,
    difficulty integer,
    estimate_time text,
    minimum_mark integer,
    max_people integer,
    duration_days integer,
    terminating_after integer,
    commit text,
    description text,
    is_subscriptable boolean,
    solo boolean,
    team_behaviour text,
    objectives jsonb,
    scales jsonb,
    uploads jsonb,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT project_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT project_sessions_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE
);
CREATE INDEX project_sessions_project_id_idx ON project_sessions (project_id);
CREATE INDEX project_sessions_campus_id_idx ON project_sessions (campus_id);
CREATE INDEX project_sessions_cursus_id_idx ON project_sessions (cursus_id);
COMMENT ON TABLE project_sessions IS 'mirror42 07_project_sessions: Sessions of the projects: the rules under which a project is done at a campus, in a cursus';

CREATE TABLE users (
    id bigint NOT NULL,
    email text,
    login text,
    first_name text,
    last_name text,
    usual_full_name text,
    usual_first_name text,
    url text,
    phone text,
    displayname text,
    kind text,
    image_link text,
    image_large text,
    image_medium text,
    image_small text,
    image_micro text,
    image jsonb,
    staff boolean,
    correction_point integer,
    pool_month text,
    pool_year text,
    location text,
    wallet integer,
    anonymize_date timestamp with time zone,
    data_erasure_date timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    alumnized_at timestamp with time zone,
    alumni boolean,
    active boolean,
    campus_id bigint,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_kind_check CHECK ((kind = ANY (ARRAY['student'::text, 'admin'::text, 'external'::text]))),
    CONSTRAINT users_campus_id_fkey FOREIGN KEY (campus_id) REFERENCES campuses(id) ON DELETE CASCADE
);
CREATE INDEX users_email_idx ON users (email);
CREATE INDEX users_login_idx ON users (login);
CREATE INDEX users_kind_idx ON users (kind);
CREATE INDEX users_updated_at_idx ON users (updated_at);
CREATE INDEX users_active_idx ON users (active);
CREATE INDEX users_campus_id_idx ON users (campus_id);
COMMENT ON TABLE users IS 'mirror42 08_users: Students of the cursus, not alumni. The list does not say the campus, so it is walked campus by campus';

CREATE TABLE coalitions (
    id bigint NOT NULL,
    name text,
    slug text,
    image_url text,
    cover_url text,
    color text,
    score integer,
    user_id bigint,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT coalitions_pkey PRIMARY KEY (id)
);
CREATE INDEX coalitions_slug_idx ON coalitions (slug);
CREATE INDEX coalitions_score_idx ON coalitions (score);
CREATE INDEX coalitions_user_id_idx ON coalitions (user_id);
COMMENT ON TABLE coalitions IS 'mirror42 09_coalitions: Coalitions of every campus; names and slugs repeat, colours come with tabs, spaces or without #';

CREATE TABLE cursus_users (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    cursus_id bigint NOT NULL,
    campus_id bigint,
    grade text,
    level double precision,
    skills jsonb,
    begin_at timestamp with time zone,
    end_at timestamp with time zone,
    blackholed_at timestamp with time zone,
    has_coalition boolean,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT cursus_users_pkey PRIMARY KEY (id),
    CONSTRAINT cursus_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    CONSTRAINT cursus_users_cursus_id_fkey FOREIGN KEY (cursus_id) REFERENCES cursus(id) ON DELETE CASCADE
);
CREATE INDEX cursus_users_user_id_idx ON cursus_users (user_id);
CREATE INDEX cursus_users_cursus_id_idx ON cursus_users (cursus_id);
CREATE INDEX cursus_users_campus_id_idx ON cursus_users (campus_id);
CREATE INDEX cursus_users_blackholed_at_idx ON cursus_users (blackholed_at);
CREATE INDEX cursus_users_updated_at_idx ON cursus_users (updated_at);
COMMENT ON TABLE cursus_users IS 'mirror42 10_cursus_users: Enrolments of the students in the cursus: level, grade, black hole';

CREATE TABLE projects_users (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id bigint NOT NULL,
    user_login text,
    user_email text,
    campus_id bigint,
    cursus_ids jsonb,
    occurrence integer,
    final_mark integer,
    status text,
    validated boolean,
    current_team_id bigint,
    marked boolean,
    marked_at timestamp with time zone,
    retriable_at timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT projects_users_pkey PRIMARY KEY (id),
    CONSTRAINT projects_users_status_check CHECK ((status = ANY (ARRAY['creating_group'::text, 'searching_a_group'::text, 'in_progress'::text, 'waiting_for_correction'::text, 'finished'::text, 'parent'::text]))),
    CONSTRAINT projects_users_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
    CONSTRAINT projects_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX projects_users_project_id_idx ON projects_users (project_id);
CREATE INDEX projects_users_user_id_idx ON projects_users (user_id);
CREATE INDEX projects_users_campus_id_idx ON projects_users (campus_id);
CREATE INDEX projects_users_status_idx ON projects_users (status);
CREATE INDEX projects_users_updated_at_idx ON projects_users (updated_at);
COMMENT ON TABLE projects_users IS 'mirror42 11_projects_users: What the students do on the projects of the cursus: status, mark, retries';

CREATE TABLE achievements_users (
    id bigint NOT NULL,
    achievement_id bigint NOT NULL,
    user_id bigint NOT NULL,
    user_login text,
    campus_id bigint,
    nbr_of_success integer,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT achievements_users_pkey PRIMARY KEY (id),
    CONSTRAINT achievements_users_achievement_id_fkey FOREIGN KEY (achievement_id) REFERENCES achievements(id) ON DELETE CASCADE,
    CONSTRAINT achievements_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX achievements_users_achievement_id_idx ON achievements_users (achievement_id);
CREATE INDEX achievements_users_user_id_idx ON achievements_users (user_id);
CREATE INDEX achievements_users_campus_id_idx ON achievements_users (campus_id);
CREATE INDEX achievements_users_updated_at_idx ON achievements_users (updated_at);
COMMENT ON TABLE achievements_users IS 'mirror42 12_achievements_users: Achievements that the students have earned';

CREATE TABLE coalitions_users (
    id bigint NOT NULL,
    coalition_id bigint NOT NULL,
    user_id bigint NOT NULL,
    score integer,
    rank integer,
    campus_id bigint,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT coalitions_users_pkey PRIMARY KEY (id),
    CONSTRAINT coalitions_users_coalition_id_fkey FOREIGN KEY (coalition_id) REFERENCES coalitions(id) ON DELETE CASCADE,
    CONSTRAINT coalitions_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX coalitions_users_coalition_id_idx ON coalitions_users (coalition_id);
CREATE INDEX coalitions_users_user_id_idx ON coalitions_users (user_id);
CREATE INDEX coalitions_users_campus_id_idx ON coalitions_users (campus_id);
CREATE INDEX coalitions_users_updated_at_idx ON coalitions_users (updated_at);
COMMENT ON TABLE coalitions_users IS 'mirror42 13_coalitions_users: Which student is in which coalition, with score and rank';
