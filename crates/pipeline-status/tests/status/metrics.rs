//! Both formats, line by line.

use super::Mirror;
use std::collections::{BTreeMap, BTreeSet};

/// The names of an exposition's families, with their samples.
fn families(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let [keyword, name, words] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            match keyword {
                "HELP" => {
                    assert!(!families.contains_key(name), "{name} twice");
                    assert!(words.ends_with('.'), "{line}");
                    current = name.to_owned();
                    families.insert(current.clone(), Vec::new());
                }
                "TYPE" => assert_eq!((name, words), (current.as_str(), "gauge")),
                "UNIT" => assert!(name == current && name.ends_with(&format!("_{words}")), "{line}"),
                _ => panic!("{line}"),
            }
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, current, "a sample belongs to the family above it: {line}");
            families.get_mut(name).unwrap().push(line.to_owned());
        }
    }
    families
}

/// `name{label="value",…} number`, as OpenMetrics 1.0 has it.
fn check_sample(line: &str) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    let (name, labels) = series
        .split_once('{')
        .map_or((series, ""), |(name, labels)| (name, labels.strip_suffix('}').unwrap()));
    assert!(
        name.starts_with("mirror42_")
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    );
    let mut rest = labels;
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(label.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{line}");
        let mut escaped = false;
        let end = quoted.find(|letter: char| {
            let is_end = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        });
        rest = quoted[end.unwrap() + 1..].trim_start_matches(',');
    }
}

#[test]
fn both_formats_hold_the_same_families_each_whole_and_once() {
    let mirror = Mirror::new();
    mirror.database.execute(
        r#"INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, host, pid, lease)
           VALUES (gen_random_uuid(), 1, 'a "quoted\" } name', 't', 'completed', now(), now(), now(), 'h', 1, 'l')"#,
    );
    let classic = mirror.workdir.run("pipeline-status", &["--prometheus"]).stdout;
    let open = mirror.workdir.run("pipeline-status", &["--openmetrics"]).stdout;
    assert!(open.ends_with("\n# EOF\n") && open.matches("# EOF").count() == 1);
    assert!(!classic.contains("# EOF") && !classic.contains("# UNIT"));
    assert!(open.contains("# UNIT mirror42_job_duration_seconds seconds\n"), "{open}");
    assert!(!open.contains("\n\n") && super::is_harmless(&open));
    let (classic, open) = (families(&classic), families(&open));
    assert_eq!(classic.keys().collect::<Vec<_>>(), open.keys().collect::<Vec<_>>());
    for (name, samples) in &open {
        assert!(!samples.is_empty(), "{name}");
        samples.iter().for_each(|line| check_sample(line));
        let series: BTreeSet<_> = samples.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
        assert_eq!(series.len(), samples.len(), "{name}: a series twice");
    }
    for name in [
        "api_calls_last_minute",
        "api_answers_last_hour",
        "job_duration_seconds",
        "job_running",
        "table_rows_changed_last_hour",
        "integrity_status",
    ] {
        assert!(open.contains_key(&format!("mirror42_{name}")), "{name}");
    }
    let rows = mirror.database.value("SELECT count(*) FROM campuses");
    let changed = &open["mirror42_table_rows_changed_last_hour"];
    let inserted =
        format!("mirror42_table_rows_changed_last_hour{{table=\"campuses\",change=\"insert\"}} {rows}");
    assert!(changed.contains(&inserted), "{changed:?}");
    let told = mirror.json(1)["calls"]["answers"]["ok"].as_u64().unwrap();
    assert!(told > mirror.mock.count("calls"), "those for a token too");
    let ok = format!("mirror42_api_answers_last_hour{{answer=\"ok\"}} {told}");
    assert!(open["mirror42_api_answers_last_hour"].contains(&ok), "{ok}: {open:?}");
}
