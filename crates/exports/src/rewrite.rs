//! Taking lines out of what is there: exports, interrupted walks, and what was learnt of people.
//!
//! Whoever reads meanwhile sees the old text or the new one, each with its manifest; whoever is killed meanwhile leaves
//! one of the two. What nothing is taken out of is not written.

use crate::draft::{lock, put_in_place, settle, write_durably};
use crate::left::{self, Progress, remove};
use crate::sieve::sift;
use crate::snapshot::{digest, existing, fitting};
use crate::{Manifest, Place};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use verdict::{Judge, Verdict};

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Keep,
    /// It goes.
    Drop,
    /// This takes its place.
    Replace(String),
}

/// How many lines went, and how many were replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rewritten {
    /// Lines that went.
    pub dropped: u64,
    /// Lines that others took the place of.
    pub replaced: u64,
}

impl Rewritten {
    /// Whether everything stayed.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.dropped + self.replaced == 0
    }

    const fn plus(self, more: Self) -> Self {
        Self { dropped: self.dropped + more.dropped, replaced: self.replaced + more.replaced }
    }
}

/// How far an interrupted walk or trail is, as far as lines matter to it.
#[derive(Serialize, Deserialize)]
struct Kept {
    bytes: u64,
    /// Of walks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_before_list: Option<u64>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Progress for Kept {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Place {
    /// Has each line judged that the export of this place holds, and those of a walk that was interrupted, which goes on
    /// where it was. What no walk can go on with is removed.
    ///
    /// # Errors
    /// [`Verdict::Busy`] while another process writes there; [`Verdict::Io`], and then what was there still is.
    pub fn rewrite(&self, judge: &mut dyn FnMut(&str) -> Fate) -> Result<Rewritten> {
        if ![self.data(), self.part()].iter().any(|path| path.exists()) {
            return Ok(Rewritten::default());
        }
        let _lock = lock(self)?;
        let mut run = || -> Result<Rewritten> {
            settle(self)?;
            let export = rewrite_export(self, judge)?;
            Ok(export.plus(rewrite_part(self, judge)?))
        };
        run().with_context(|| self.folder().display().to_string()).verdict(Verdict::Io)
    }

    /// Has each line judged of what was learnt of people beside this place.
    ///
    /// # Errors
    /// [`Verdict::Io`], and then what was there still is.
    pub fn rewrite_looked_up(&self, judge: &mut dyn FnMut(&str) -> Fate) -> Result<Rewritten> {
        let path = self.looked_up();
        if !path.exists() {
            return Ok(Rewritten::default());
        }
        let mut run = || -> Result<Rewritten> {
            let lock = path.with_extension("lock");
            let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock)?;
            lock.lock()?;
            let sifted = sift(&path, u64::MAX, judge, &[])?;
            if let Some(aside) = &sifted.aside {
                fs::rename(aside, &path)?;
            }
            Ok(sifted.rewritten)
        };
        run().with_context(|| path.display().to_string()).verdict(Verdict::Io)
    }
}

fn rewrite_export(place: &Place, judge: &mut dyn FnMut(&str) -> Fate) -> Result<Rewritten> {
    let data = place.data();
    let Some(mut file) = existing(&data)? else { return Ok(Rewritten::default()) };
    let manifest = fitting(place, &mut file)?;
    let sifted = sift(&data, u64::MAX, judge, &[])?;
    let Some(aside) = sifted.aside else { return Ok(sifted.rewritten) };
    let before = digest(&mut file)?;
    match manifest.filter(|manifest| manifest.sha256 == before) {
        Some(manifest) => {
            let mut text = File::open(&aside)?;
            let rows = manifest.rows.saturating_sub(sifted.rewritten.dropped);
            let bytes = text.metadata()?.len();
            let manifest = Manifest { rows, bytes, sha256: digest(&mut text)?, ..manifest };
            put_in_place(place, &aside, &manifest)?;
        }
        // It was damaged before, and nobody is to take it for whole now.
        None => fs::rename(aside, &data)?,
    }
    Ok(sifted.rewritten)
}

/// The pages of an interrupted walk, and how far it is: two files. The second is taken away before the first is replaced:
/// a walk that is found without it begins anew, one whose files do not agree would go on in the wrong place.
fn rewrite_part(place: &Place, judge: &mut dyn FnMut(&str) -> Fate) -> Result<Rewritten> {
    let (part, state) = (place.part(), place.walk_state());
    let Some(kept) = left::read::<Kept>(place)? else {
        remove(&part)?;
        return Ok(Rewritten::default());
    };
    // Behind the pages that count is what was cut, which comes again.
    OpenOptions::new().write(true).open(&part)?.set_len(kept.bytes)?;
    let before_list = kept.bytes_before_list.unwrap_or_default();
    let sifted = sift(&part, kept.bytes, judge, &[kept.bytes, before_list])?;
    let Some(aside) = sifted.aside else { return Ok(sifted.rewritten) };
    let next = state.with_extension("json.next");
    if let [bytes, before_list] = sifted.marks[..] {
        let bytes_before_list = kept.bytes_before_list.map(|_| before_list);
        let kept = Kept { bytes, bytes_before_list, ..kept };
        write_durably(&next, &serde_json::to_vec(&kept)?)?;
    }
    remove(&state)?;
    fs::rename(aside, &part)?;
    if next.exists() {
        fs::rename(next, state)?;
    }
    File::open(place.folder())?.sync_all()?;
    Ok(sifted.rewritten)
}
