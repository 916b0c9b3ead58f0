use super::*;

const PARENT: &str = r#"
about = "things"
table = "things"
group = "cursus"
key = ["id"]
columns = [{ name = "id", type = "bigint", null = false }, { name = "name", type = "text" }]
[fetch]
path = "/v2/things"
"#;

/// Parses `01_things.toml` with a text replaced, and says what is wrong with it.
fn complaint(from: &str, to: &str) -> String {
    let changed = PARENT.replace(from, to);
    assert_ne!(changed, PARENT, "`{from}` is not in the file");
    complaints(&[("01_things.toml", &changed)])
}

fn complaints(files: &[(&str, &str)]) -> String {
    format!("{:#}", Catalog::parse(files).expect_err("the catalog should be refused"))
}

#[test]
fn the_catalog_that_is_compiled_in_holds_thirteen_resources_in_order() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    let numbers: Vec<_> = catalog.resources().iter().map(|resource| resource.file[..2].to_owned()).collect();
    let expected: Vec<_> = (1..=13).map(|number| format!("{number:02}")).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn a_resource_is_found_by_name_and_by_table() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    assert_eq!(catalog.find("campus").unwrap().table, "campuses");
    assert_eq!(catalog.find("campuses").unwrap().name, "campus");
    let error = catalog.find("nope").unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Usage);
    assert!(error.to_string().starts_with("unknown resource `nope`; there are cursus, campus"));
}

#[test]
fn keys_that_end_in_a_question_mark_are_read_as_they_stand() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    let from = |column: &str| catalog.find("users").unwrap().column(column).unwrap().from.clone();
    assert_eq!(
        (from("staff"), from("alumni"), from("active")),
        ("/staff?".into(), "/alumni?".into(), "/active?".into())
    );
}

#[test]
fn what_hangs_on_students_of_a_cursus_is_of_the_cursus() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    let is = |name: &str| catalog.is_of_cursus(catalog.find(name).unwrap());
    assert!(is("users") && is("projects") && is("project_sessions") && is("coalitions_users"));
    assert!(!is("campus") && !is("campus_achievements") && !is("coalitions"));
}

#[test]
fn an_unknown_key_is_an_error_that_names_file_and_line() {
    let text = complaint("group =", "gruop = \"x\"\ngroup =");
    assert!(text.starts_with("catalog 01_things.toml, line 4: unknown field `gruop`"), "{text}");
    let text = complaint(r#"type = "text""#, r#"type = "text", indexed = true"#);
    assert!(text.contains("line 6: unknown field `indexed`"), "{text}");
    let text = complaint("path =", "pth = 1\npath =");
    assert!(text.contains("line 8: unknown field `pth`"), "{text}");
}

#[test]
fn a_reference_to_nothing_is_an_error() {
    let text = complaint(r#"type = "text""#, r#"type = "bigint", references = "nothing""#);
    assert_eq!(text, "catalog 01_things: refers to the table `nothing`, which no file describes");
}

#[test]
fn a_cycle_is_an_error_that_shows_it() {
    let other = PARENT
        .replace("things", "others")
        .replace(r#"type = "text""#, r#"type = "bigint", references = "things""#);
    let first = PARENT.replace(r#"type = "text""#, r#"type = "bigint", references = "others""#);
    let text = complaints(&[("01_things.toml", &first), ("02_others.toml", &other)]);
    assert_eq!(text, "catalog: a cycle of references: things → others → things");
    let itself = complaint(r#"type = "text""#, r#"type = "bigint", references = "things""#);
    assert_eq!(itself, "catalog: a cycle of references: things → things");
}

#[test]
fn a_parent_that_comes_later_is_an_error() {
    let child = PARENT
        .replace("things", "others")
        .replace(r#"type = "text""#, r#"type = "bigint", references = "things""#);
    let text = complaints(&[("02_things.toml", PARENT), ("01_others.toml", &child)]);
    assert!(text.contains("01_others: refers to `things`, which comes later"), "{text}");
}

#[test]
fn a_reference_of_another_type_is_an_error() {
    let child = PARENT
        .replace("things", "others")
        .replace(r#"type = "text""#, r#"type = "text", references = "things""#);
    let text = complaints(&[("01_things.toml", PARENT), ("02_others.toml", &child)]);
    assert!(text.contains("whose key is not one column of the same type"), "{text}");
}

#[test]
fn names_that_sql_would_have_to_quote_are_errors() {
    assert!(complaint(r#"table = "things""#, r#"table = "Things; drop""#).contains("is no name"));
    assert!(complaint(r#""name", type"#, r#""ingested_at", type"#).contains("twice, or ours"));
    assert!(complaints(&[("1_things.toml", PARENT)]).contains("NN_name.toml"));
    assert!(
        complaints(&[("01_things.toml", PARENT), ("01_other.toml", PARENT)]).contains("the number is taken")
    );
}

#[test]
fn keys_and_sources_have_to_make_sense() {
    assert!(complaint(r#"key = ["id"]"#, r#"key = ["name"]"#).contains("no column with null = false"));
    assert!(complaint(r#"key = ["id"]"#, "key = []").contains("a key is wanted"));
    assert!(complaint("/v2/things", "/things").contains("starts with /v2/"));
    assert!(complaint("[fetch]\npath = \"/v2/things\"", "").contains("exactly one of [fetch] and [derive]"));
    assert!(complaint(r#"type = "text""#, r#"type = "text", from = "name""#).contains("is no JSON pointer"));
}

#[test]
fn what_is_followed_has_to_make_sense() {
    let live = |text: &str| complaint("path = \"/v2/things\"", &format!("path = \"/v2/things\"\n{text}"));
    assert!(live("[live]\nrange = \"name\"\nsort = \"name\"").contains("no column of type timestamptz"));
    let text = "[live]\nrange = \"name\"\nsort = \"name\"\nsorted = true";
    assert!(live(text).contains("line 12: unknown field `sorted`"), "{}", live(text));
    let moved = PARENT.replace(r#"type = "text""#, r#"type = "timestamptz""#);
    let falling = format!("{moved}[live]\nrange = \"name\"\nsort = \"-name\"");
    assert!(
        complaints(&[("01_things.toml", &falling)]).contains("live.sort rises by `name` first: `name,id`")
    );
    let lookup = "[lookup]\nby = \"filter[id]\"\n[lookup.stamp.x]\npath = \"/v2/x\"\nby = \"y\"\nid = \"id\"\ntake = \"/x\"";
    assert!(live(lookup).contains("`id` is no JSON pointer"));
}

#[test]
fn a_stamp_that_a_lookup_does_not_give_is_an_error() {
    let looked_up = format!(
        "{PARENT}[lookup]\nby = \"filter[id]\"\n[lookup.stamp.place]\npath = \"/v2/places\"\nby = \"b\"\nid = \"/i\"\ntake = \"/t\""
    );
    let child = |pointer: &str| {
        let each = format!("[fetch.each]\nof = \"things\"\nby = \"b\"\nstamp = {{ x = \"{pointer}\" }}");
        format!("{}{each}", PARENT.replace("\"things\"", "\"others\""))
    };
    assert!(
        Catalog::parse(&[("01_things.toml", &looked_up), ("02_others.toml", &child("/place"))]).is_ok(),
        "it gives this one"
    );
    let text = complaints(&[("01_things.toml", &looked_up), ("02_others.toml", &child("/name"))]);
    assert!(text.contains("02_others: fetch.each.stamp.x: `/name` is not among the keys"), "{text}");
}

#[test]
fn the_catalog_says_who_the_people_are_and_whose_a_row_is() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    let people = catalog.people().unwrap();
    assert_eq!((people.table.as_str(), people.erase_at.len()), ("users", 2));
    let owner = |name: &str| {
        let owners = catalog.owners(catalog.find(name).unwrap());
        owners.iter().map(|column| column.from.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (owner("users"), owner("projects_users")),
        (vec!["/id".to_owned()], vec!["/user/id".to_owned()])
    );
    assert!(owner("coalitions").is_empty() && owner("campus").is_empty());
}

#[test]
fn people_without_a_date_to_erase_them_at_are_an_error() {
    assert!(
        complaint("key =", "erase_at = [\"name\"]\nkey =")
            .contains("`name` is no column of type timestamptz")
    );
    let text = complaint(r#"type = "text""#, r#"type = "text", personal = "maybe""#);
    assert!(text.contains("line 6: unknown variant `maybe`"), "{text}");
    let dated =
        PARENT.replace("key =", "erase_at = [\"name\"]\nkey =").replace("\"text\"", "\"timestamptz\"");
    assert!(Catalog::parse(&[("01_things.toml", &dated)]).is_ok(), "of one table they may be");
    let others = dated.replace("things", "others");
    let text = complaints(&[("01_things.toml", &dated), ("02_others.toml", &others)]);
    assert!(text.contains("02_others: erase_at: the people are those of 01_things"), "{text}");
}

#[test]
fn five_resources_are_followed() {
    let catalog = Catalog::parse(BUILT_IN).unwrap();
    let followed: Vec<_> = catalog.resources().iter().filter(|resource| resource.live.is_some()).collect();
    let tables: Vec<_> = followed.iter().map(|resource| resource.table.as_str()).collect();
    let expected = ["users", "cursus_users", "projects_users", "achievements_users", "coalitions_users"];
    assert_eq!(tables, expected);
    let undocumented = followed.iter().filter(|resource| !resource.live.as_ref().unwrap().sort_is_documented);
    assert_eq!(undocumented.map(|resource| resource.table.as_str()).collect::<Vec<_>>(), ["projects_users"]);
}

#[test]
fn a_folder_replaces_what_is_compiled_in() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Catalog::from_folder(folder.path()).unwrap_err().to_string().contains("holds no .toml file"));
    std::fs::write(folder.path().join("01_things.toml"), PARENT).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a resource").unwrap();
    let catalog = Catalog::from_folder(folder.path()).unwrap();
    assert_eq!(catalog.resources().len(), 1);
    assert!(Catalog::from_folder(&folder.path().join("missing")).is_err());
}

const CLAIM: &str = r#"
[[claim]]
name = "named"
about = "things have names"
severity = "error"
needs = ["things.name"]
left = "things.name"
right = "nothing"
mend = "reload_export"
sql = "SELECT NULL::jsonb AS subject, 1 AS left_value, 1 AS right_value"
"#;

#[test]
fn a_claim_says_all_that_it_takes_and_nothing_unknown() {
    let file = format!("{PARENT}{CLAIM}");
    let catalog = Catalog::parse(&[("01_things.toml", file.as_str())]).unwrap();
    let claim = &catalog.resources()[0].claims[0];
    assert_eq!((claim.severity, claim.mend), (Severity::Error, Mend::ReloadExport));
    for (from, to, words) in [
        ("named", "Na med", "claim `Na med` is no name"),
        ("things.name\"]", "things\"]", "`things` is no table.column"),
        ("[\"things.name\"]", "[]", "needs at least one table.column"),
        ("reload_export", "pray", "unknown variant `pray`"),
        ("\nright", "\nrihgt", "unknown field `rihgt`"),
        ("\nsql", "\nalso = { table = \"/left\" }\nsql", "also.table: a new key"),
    ] {
        let changed = format!("{PARENT}{}", CLAIM.replace(from, to));
        let complaint = complaints(&[("01_things.toml", &changed)]);
        assert!(complaint.contains(words), "{complaint}");
    }
    let twice = format!("{PARENT}{CLAIM}{CLAIM}");
    assert!(complaints(&[("01_things.toml", &twice)]).contains("`named` is there twice"));
}
