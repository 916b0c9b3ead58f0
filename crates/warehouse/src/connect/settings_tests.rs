use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(&move |name| {
        variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    })
}

#[test]
fn a_url_may_say_verify_full_and_name_its_roots() {
    let url = "postgres://ann:pw@db.example:5433/mirror?sslmode=verify-full&sslrootcert=%2Ftmp%2Fa%20b.crt&connect_timeout=3";
    let settings = read(&[("DATABASE_URL", url)]).unwrap();
    assert_eq!(settings.security, Security::VerifyFull);
    assert_eq!(settings.roots.unwrap(), PathBuf::from("/tmp/a b.crt"));
    assert_eq!(settings.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
    assert_eq!(place(&settings.config), "db.example:5433/mirror");
}

#[test]
fn pairs_are_read_as_libpq_reads_them() {
    let text =
        r"host=db.example user='a b' password = 'it\'s \\' sslmode=require sslrootcert='/tmp/r.crt' dbname=m";
    let settings = read(&[("DATABASE_URL", text)]).unwrap();
    assert_eq!(settings.config.get_user(), Some("a b"));
    assert_eq!(settings.config.get_password(), Some(&br"it's \"[..]));
    assert_eq!(settings.security, Security::VerifyCa);
}

#[test]
fn the_variables_of_libpq_fill_what_the_url_leaves_open() {
    let settings = read(&[
        ("DATABASE_URL", "postgres://db.example"),
        ("PGUSER", "ann"),
        ("PGPASSWORD", "pw"),
        ("PGSSLMODE", "disable"),
    ])
    .unwrap();
    assert_eq!(settings.config.get_password(), Some(&b"pw"[..]));
    assert_eq!(
        (settings.security, place(&settings.config).as_str()),
        (Security::Disable, "db.example:5432/ann")
    );
}

#[test]
fn variables_alone_are_enough_and_sockets_need_no_tls() {
    let settings = read(&[
        ("PGHOST", "/run/pg"),
        ("PGDATABASE", "mirror"),
        ("PGSSLMODE", "verify-full"),
        ("USER", "ann"),
    ])
    .unwrap();
    assert_eq!(
        (settings.security, place(&settings.config).as_str()),
        (Security::Disable, "/run/pg:5432/mirror")
    );
    let url = read(&[("DATABASE_URL", "postgres://ann@%2Frun%2Fpg/mirror")]).unwrap();
    assert_eq!(url.security, Security::Disable);
}

#[test]
fn a_server_elsewhere_is_spoken_to_by_tls_unless_somebody_says_otherwise() {
    let security = |variables: &[(&str, &str)]| read(variables).unwrap().security;
    for elsewhere in ["db.example", "192.0.2.7", "[2001:db8::1]", "localhost.example", "localhost,db.example"]
    {
        let url = format!("postgres://ann@{elsewhere}/mirror");
        assert_eq!(security(&[("DATABASE_URL", &url)]), Security::Require, "{elsewhere}");
        assert_eq!(security(&[("DATABASE_URL", &url), ("PGSSLMODE", "prefer")]), Security::Prefer);
        assert_eq!(security(&[("DATABASE_URL", &format!("{url}?sslmode=disable"))]), Security::Disable);
    }
    for here in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
        assert_eq!(
            security(&[("DATABASE_URL", &format!("postgres://ann@{here}/mirror"))]),
            Security::Prefer,
            "{here}"
        );
    }
    // The environment of the old pipeline works as it is.
    let old = [("DB_HOST", "db.example"), ("DB_NAME", "mirror")];
    assert_eq!(security(&old), Security::Prefer);
    assert_eq!(security(&[old[0], old[1], ("PGSSLMODE", "require")]), Security::Require);
    assert_eq!(security(&[("PGHOST", "localhost"), ("PGHOSTADDR", "192.0.2.7")]), Security::Require);
}

#[test]
fn the_names_of_the_old_pipeline_serve_when_nothing_else_does() {
    let old = [
        ("DB_HOST", "old.example"),
        ("DB_PORT", "5444"),
        ("DB_NAME", "api42"),
        ("DB_USER", "u"),
        ("DB_PASSWORD", "p"),
    ];
    let settings = read(&old).unwrap();
    assert_eq!(place(&settings.config), "old.example:5444/api42");
    let mut both = old.to_vec();
    both.push(("PGHOST", "new.example"));
    assert_eq!(place(&read(&both).unwrap().config), "new.example:5432/");
}

#[test]
fn a_mistake_is_told_without_the_password() {
    for url in [
        "postgres://ann:s3cret@host/db?sslmode=maybe",
        "postgres://ann:s3cret@host/db?nonsense=1",
        "host=h password='s3cret",
    ] {
        let error = format!("{:#}", read(&[("DATABASE_URL", url)]).unwrap_err());
        assert!(!error.contains("s3cret") && !error.contains('\n'), "{error}");
    }
    let nothing = format!("{:#}", read(&[]).unwrap_err());
    assert!(nothing.contains("DATABASE_URL") && nothing.contains("scripts/db.sh start"), "{nothing}");
}
