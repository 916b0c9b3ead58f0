-- Roles of the database, for tools that need less than its owner. Run by the owner, after init-db and again when a table was
-- added; they log in as members:
--
--   scripts/db.sh client psql -v ON_ERROR_STOP=1 -f deploy/postgres/roles.sql
--   scripts/db.sh client psql -c "CREATE ROLE monitor LOGIN PASSWORD '…' IN ROLE mirror42_watch"
--
-- mirror42_watch  reads: monitor-server, pipeline-status, job-monitor, check-integrity (which keeps what it found)
-- mirror42_load   writes rows: load-table, backlog, job-run, the live sync. Who was erased it cannot forget, tables it cannot
--                 change.
-- mirror42_purge  deletes rows, and adds none: purge-people
--
-- What deletes people also vacuums (purge-people, and so the nightly, which runs it at its end). Up to PostgreSQL 16 that
-- is for the owner only: there these two run as the owner, or say with exit code 1 that rows are still on the disk.
BEGIN;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mirror42_watch', 'mirror42_load', 'mirror42_purge'] LOOP
        -- Roles are the server's: another database's run may make them at this moment.
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO mirror42_watch, mirror42_load, mirror42_purge', current_database());
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO mirror42_load, mirror42_purge';
        EXECUTE 'GRANT MAINTAIN ON ops.quarantine TO mirror42_load, mirror42_purge';
    END IF;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public, ops TO mirror42_watch, mirror42_load, mirror42_purge;
GRANT SELECT ON ALL TABLES IN SCHEMA public, ops TO mirror42_watch, mirror42_load, mirror42_purge;

GRANT INSERT, UPDATE, DELETE ON ops.integrity_runs, ops.integrity_checks, ops.integrity_violations TO mirror42_watch;

GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, ops TO mirror42_load;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops TO mirror42_load;
REVOKE DELETE ON ops.tombstones FROM mirror42_load;

GRANT DELETE ON ALL TABLES IN SCHEMA public TO mirror42_purge;
GRANT UPDATE, DELETE ON ops.quarantine TO mirror42_purge;
GRANT INSERT, UPDATE ON ops.tombstones TO mirror42_purge;
COMMIT;
