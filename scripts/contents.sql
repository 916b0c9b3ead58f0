-- What the tables of the mirror hold: name, rows, and a digest of all rows, which no order of theirs changes. Two databases
-- with the same lines hold the same.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET extra_float_digits = 1;
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM %s t', name, name)
FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND starts_with(obj_description(c.oid, 'pg_class'), 'mirror42 ')) tables
ORDER BY name \gexec
