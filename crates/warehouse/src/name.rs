//! Names and texts as they stand in SQL.

/// Words that PostgreSQL 15 takes for a column only in quotes (`pg_get_keywords`, categories R and T). The catalog
/// lets no other character than `a-z`, `0-9` and `_` into a name, so nothing else needs quotes.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// A name, in quotes where SQL would take it for something else.
#[must_use]
pub fn quoted(name: &str) -> String {
    if RESERVED.binary_search(&name).is_ok() { format!("\"{name}\"") } else { name.to_owned() }
}

/// Names, separated by commas, each after a prefix such as `s.`.
pub(crate) fn list<'a>(prefix: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("{prefix}{}", quoted(name))).collect();
    names.join(", ")
}

/// A text as a literal, written as PostgreSQL itself writes it.
#[must_use]
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', r"\\"))
    } else {
        format!("'{doubled}'")
    }
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, literal, quoted};

    #[test]
    fn reserved_words_are_quoted_and_no_others() {
        assert!(RESERVED.is_sorted());
        assert_eq!(quoted("user"), "\"user\"");
        assert_eq!(quoted("users"), "users");
        assert_eq!(quoted("commit"), "commit");
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r"E'a\\b'");
    }
}
