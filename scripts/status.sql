-- The last full load of each table, and up to when its changes are here, for a person who has just run the scripts.
\pset footer off
\pset linestyle unicode
SELECT DISTINCT ON (table_name)
    table_name AS "table", read, inserted, updated, unchanged, deleted, quarantined,
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS "loaded (UTC)", seconds,
    to_char(watermark AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS') AS "changes until"
FROM ops.loads LEFT JOIN ops.watermarks USING (table_name)
WHERE kind = 'full'
ORDER BY table_name, id DESC;
SELECT table_name AS "table", reason_kind AS "waiting for", count(*) AS records
FROM ops.quarantine GROUP BY 1, 2 ORDER BY 1, 2;
