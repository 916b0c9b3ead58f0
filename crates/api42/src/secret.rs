//! Texts that must not be shown.

use std::fmt;

/// A text that is never shown: neither `Debug` nor `Display` print it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use crate::{DEFAULT_ROOT, Secret, Settings};
    use std::path::PathBuf;

    #[test]
    fn a_secret_is_never_shown() {
        let settings = Settings::new(DEFAULT_ROOT, "u-1", Secret::new("s-MARK".to_owned()), PathBuf::new());
        let shown = format!("{:?} {} {settings:?}", settings.client_secret, settings.client_secret);
        assert!(shown.contains("***") && !shown.contains("MARK"), "{shown}");
    }
}
