-- bench_watching.sql - fills the mirror and the tables of the tools with invented rows, in the proportions of the real data
--
-- Variables: factor (1: 40,000 students with 900,000 enrolments). Campuses and cursus stay as many as they are; everything
-- else grows with it. The same every time: there is no chance in it. Indexes are made after the rows, references are not
-- looked at: they are right.
\set ON_ERROR_STOP on
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';

CREATE TEMP TABLE later AS
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index
    JOIN pg_class c ON c.oid = indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT indisprimary;
SELECT format('DROP INDEX %s', name) FROM later \gexec
SELECT format('TRUNCATE %s RESTART IDENTITY', string_agg(oid::regclass::text, ', ')) FROM pg_class
    WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'ops'::regnamespace) \gexec

-- The rows were there before the last walk began; a hundred of each table were written by the live sync an hour ago.
CREATE FUNCTION pg_temp.written(id bigint) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN CASE WHEN id <= 100 THEN now() - interval '1 hour' ELSE now() - interval '3 days' END;

INSERT INTO cursus (id, name, slug, kind, ingested_at)
    SELECT n, 'Cursus ' || n, 'cursus-' || n, 'external', pg_temp.written(n) FROM generate_series(1, 76) n;
INSERT INTO campuses (id, name, users_count, city, public, active, ingested_at)
    SELECT n, 'Campus ' || n, 700, 'City ' || n, true, true, pg_temp.written(n) FROM generate_series(1, 54) n;
INSERT INTO achievements (id, name, description, tier, kind, visible, ingested_at)
    SELECT n, 'Achievement ' || n, repeat('Well done. ', 6), 'none', 'social', true, pg_temp.written(n)
    FROM generate_series(1, 1152 * :factor) n;
INSERT INTO campus_achievements (campus_id, achievement_id, ingested_at)
    SELECT c, a, pg_temp.written(0 + (a - 1) * 30 + c) FROM generate_series(1, 1152 * :factor) a, generate_series(1, 30) c;
INSERT INTO projects (id, name, slug, difficulty, exam, recommendation, created_at, updated_at, ingested_at)
    SELECT n, 'Project ' || n, 'project-' || n, n, false, 'forbidden', now() - interval '2 years', now() - interval '1 year', pg_temp.written(n)
    FROM generate_series(1, 266 * :factor) n;
INSERT INTO campus_projects (campus_id, project_id, ingested_at)
    SELECT c, p, pg_temp.written((p - 1) * 40 + c) FROM generate_series(1, 266 * :factor) p, generate_series(1, 40) c;
INSERT INTO project_sessions (id, project_id, campus_id, cursus_id, description, scales, uploads, created_at, updated_at, ingested_at)
    SELECT n, 1 + n % (266 * :factor), 1 + n % 54, 21, repeat('About it. ', 20), '[]', '[]', now() - interval '2 years',
        now() - interval '1 year', pg_temp.written(n)
    FROM generate_series(1, 5000 * :factor) n;
INSERT INTO users (id, email, login, first_name, last_name, usual_full_name, usual_first_name, url, phone, displayname, kind,
        image_link, image_large, image_medium, image_small, image_micro, image, staff, correction_point, pool_month, pool_year,
        wallet, anonymize_date, data_erasure_date, created_at, updated_at, alumni, active, campus_id, ingested_at)
    SELECT n, login || '@student.example.invalid', login, 'First', 'Last', 'First Last', 'First',
        'https://api.example.invalid/v2/users/' || login, 'hidden', 'First Last', 'student', link || '.jpg',
        link || '/large.jpg', link || '/medium.jpg', link || '/small.jpg', link || '/micro.jpg',
        jsonb_build_object('link', link || '.jpg', 'versions', jsonb_build_object('large', link || '/large.jpg')), false, 4, 'july',
        '2024', 45, '2090-01-01', '2090-01-01', now() - interval '2 years', now() - n * interval '1 minute' / :factor, false,
        n % 2 = 0, 1 + n % 54, pg_temp.written(n)
    FROM generate_series(1, 40000 * :factor) n, LATERAL (SELECT 'user' || n AS login,
        'https://cdn.example.invalid/users/' || md5(n::text) || '/user' || n AS link) AS l;
INSERT INTO coalitions (id, name, slug, image_url, color, score, ingested_at)
    SELECT n, 'Coalition ' || n, 'coalition-' || n, 'https://cdn.example.invalid/' || n, '#aabbcc', n, pg_temp.written(n)
    FROM generate_series(1, 350 * :factor) n;
INSERT INTO cursus_users (id, user_id, cursus_id, campus_id, grade, level, skills, begin_at, has_coalition, created_at, updated_at, ingested_at)
    SELECT n, n, 21, 1 + n % 54, 'Member', n % 21, '[{"id": 1, "name": "Rigor", "level": 3.2}]', now() - interval '1 year', true,
        now() - interval '1 year', now() - n * interval '1 minute' / :factor, pg_temp.written(n)
    FROM generate_series(1, 40000 * :factor) n;
INSERT INTO projects_users (id, project_id, user_id, user_login, user_email, campus_id, cursus_ids, occurrence, final_mark, status,
        validated, current_team_id, marked, marked_at, created_at, updated_at, ingested_at)
    SELECT n, 1 + n % (266 * :factor), u, 'user' || u, 'user' || u || '@student.example.invalid', 1 + u % 54, '[21]', 0,
        CASE WHEN n % 20 > 0 THEN 100 END, CASE WHEN n % 20 > 0 THEN 'finished' ELSE 'in_progress' END,
        CASE WHEN n % 20 > 0 THEN true END, n, n % 20 > 0, now() - interval '100 days', now() - interval '1 year',
        now() - n * interval '1 second' / :factor, pg_temp.written(n)
    FROM generate_series(1::bigint, 900000 * :factor) n, LATERAL (SELECT 1 + n % (40000 * :factor) AS u) AS who;
INSERT INTO achievements_users (id, achievement_id, user_id, user_login, campus_id, nbr_of_success, created_at, updated_at, ingested_at)
    SELECT n, 1 + n % (1152 * :factor), u, 'user' || u, 1 + u % 54, 1, now() - interval '1 year',
        now() - n * interval '1 second' / :factor, pg_temp.written(n)
    FROM generate_series(1::bigint, 400000 * :factor) n, LATERAL (SELECT 1 + n % (40000 * :factor) AS u) AS who;
INSERT INTO coalitions_users (id, coalition_id, user_id, score, rank, campus_id, created_at, updated_at, ingested_at)
    SELECT n, 1 + n % (350 * :factor), 1 + n % (40000 * :factor), 7, 3, 1 + n % 54, now() - interval '1 year',
        now() - n * interval '1 second' / :factor, pg_temp.written(n)
    FROM generate_series(1, 60000 * :factor) n;

-- Loads of the live sync, of which the last ones wrote, before them a full one; runs of jobs, of which one job always fails;
-- rows in quarantine that wait for forty projects; findings of the last 30 days.
INSERT INTO ops.loads (table_name, source, kind, scope, walk_started, started_at, finished_at, read, inserted, updated, unchanged,
        deleted, quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
    SELECT table_name, 'stdin', 'changes', NULL, at, at, at, 17, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, '{}', 0.1
    FROM generate_series(1, 100000 * :factor) n, LATERAL (SELECT now() - interval '2 days' - (100000 * :factor - n) * interval '12 s' / :factor AS at,
        (ARRAY['users', 'cursus_users', 'projects_users', 'achievements_users', 'coalitions_users'])[1 + n % 5] AS table_name) AS l;
INSERT INTO ops.loads (table_name, source, kind, scope, walk_started, started_at, finished_at, read, inserted, updated, unchanged,
        deleted, quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
    SELECT relname, 'all.ndjson', kind, CASE WHEN relname IN ('projects', 'campus_projects', 'project_sessions', 'users', 'cursus_users',
            'projects_users') AND kind = 'full' THEN '{"cursus": 21}'::jsonb END, at, at, at + interval '1 second', 100, 0, wrote, 0,
        0, 0, 0, 0, 0, 0, 0, '{}', 1
    FROM (VALUES ('full', interval '1 day', 0), ('changes', interval '3601 seconds', 100)) AS l(kind, ago, most), pg_class,
        LATERAL (SELECT now() - ago AS at, CASE WHEN relname = 'campuses' THEN least(most, 54)
            WHEN relname = 'cursus' THEN least(most, 76) ELSE most END AS wrote) AS w
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY ago DESC;
INSERT INTO ops.watermarks (table_name, watermark, load_id)
    SELECT table_name, walk_started, id FROM ops.loads WHERE updated = 100 AND table_name LIKE '%users';
INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, items_processed,
        items_succeeded, total_items, exit_code, error_message, host, pid, lease)
    SELECT gen_random_uuid(), 1, CASE WHEN n % 40 = 0 AND n < 10000 THEN 'always_fails' ELSE (ARRAY['live_sync', 'backlog_worker', 'token_refresh',
            'integrity_check', 'nightly_sync', 'fetch_users', 'load_users', 'load_projects_users'])[1 + n % 8] END, 'stage',
        CASE WHEN n % 40 = 0 AND n < 10000 OR n % 199 = 0 THEN 'failed' ELSE 'completed' END, at, at, at + interval '1 s', 100, 100, 100,
        CASE WHEN n % 40 = 0 AND n < 10000 OR n % 199 = 0 THEN 1 ELSE 0 END, CASE WHEN n % 40 = 0 THEN 'no' END, 'host', 1, 'lease'
    FROM generate_series(0, 10000 * :factor - 1) n, LATERAL (SELECT now() - n * interval '60 s' / :factor AS at) AS t ORDER BY at;
INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, parent_table, parent_key, row, first_seen, load_id)
    SELECT 'projects_users', (100000000 + n)::text, 'parent', 'no such project', 'projects', parent,
        jsonb_build_object('id', 100000000 + n, 'project_id', parent::bigint, 'user_id', n, 'status', 'finished', 'user_login', 'user' || n),
        now() - interval '3 days', 1
    FROM generate_series(1, 2000 * :factor) n, LATERAL (SELECT (50000000 + n % 40)::text AS parent) AS p;
INSERT INTO ops.integrity_runs (started_at, finished_at, whole, status, total_checked, inconsistent, findings, people, host)
    SELECT at, at, true, 'degraded', 1000000, 2000, 40, 40000, 'host'
    FROM generate_series(1, 8640) n, LATERAL (SELECT now() - n * interval '5 minutes' AS at) AS t ORDER BY at;
INSERT INTO ops.integrity_violations (check_name, table_name, subject, finding, first_seen, last_seen, times_seen, resolved_at, run_id)
    SELECT 'projects_users_user_fk', 'projects_users', json_build_object('parent_key', n)::text, '{"rows": 1, "severity": "error"}',
        now() - interval '9 days', now() - interval '8 days', 3, now() - interval '8 days', 1
    FROM generate_series(1, 1000 * :factor) n;
INSERT INTO ops.backlog_processed (id, reason, added_at, processed_at, outcome, attempts, seconds)
    SELECT 1000000000 + n, 'live sync', at, at, 'loaded', 0, 2.5
    FROM generate_series(1, 12000 * :factor) n, LATERAL (SELECT now() - n * interval '200 s' / :factor AS at) AS t ORDER BY at;

SELECT made FROM later \gexec
DROP TABLE later;
VACUUM ANALYZE;
CHECKPOINT;
