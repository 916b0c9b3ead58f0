//! `~/.pgpass`: one `host:port:database:user:password` a line, `*` for any, `\` before a colon or backslash.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

use postgres::Config;
use postgres::config::Host;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The password of the first line that fits the configuration.
pub(super) fn find(config: &Config, environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let named = environment("PGPASSFILE").map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".pgpass")))?;
    let metadata = std::fs::metadata(&path).ok()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        log::warn!("{} is ignored: others may read it; chmod 0600 it", path.display());
        return None;
    }
    let text = std::fs::read_to_string(&path).ok()?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        // Sockets are called localhost there.
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().unwrap_or(&5432).to_string();
    let wanted =
        [&host, &port, config.get_dbname().unwrap_or_default(), config.get_user().unwrap_or_default()];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| password(line, &wanted))
}

fn password(line: &str, wanted: &[&str; 4]) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            // The password is the rest, colons included.
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let (password, pattern) = fields.split_last()?;
    let fits = pattern.len() == 4
        && pattern.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    fits.then(|| password.clone())
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn a_line_fits_when_every_field_does() {
        let wanted = ["db.example", "5432", "mirror", "ann"];
        let read = |line| password(line, &wanted);
        assert_eq!(read("db.example:5432:mirror:ann:s3cret").as_deref(), Some("s3cret"));
        assert_eq!(read(r"*:*:*:ann:co\:lon:and\\more").as_deref(), Some(r"co:lon:and\more"));
        assert_eq!(read("db.example:5433:mirror:ann:s3cret"), None);
        assert_eq!(read("# a comment"), None);
        assert_eq!(read(""), None);
    }
}
