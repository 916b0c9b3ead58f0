-- The last load of each table, for a person who has just run one.
\pset footer off
\pset linestyle unicode
SELECT DISTINCT ON (table_name)
    table_name AS "table", read, inserted, updated, unchanged, deleted, quarantined, released,
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS "loaded (UTC)", seconds
FROM ops.loads
ORDER BY table_name, id DESC;
SELECT table_name AS "table", reason_kind AS "waiting for", count(*) AS records
FROM ops.quarantine GROUP BY 1, 2 ORDER BY 1, 2;
