//! Compiles the directory `resources/` in: its listing is the catalog, there is no second list to keep.

use std::fmt::Write;
use std::{env, fs, path::Path};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("resources");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("resources/ is part of this crate");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    let mut listing = String::from("&[\n");
    for file in files {
        let name = file.file_name().expect("a file has a name");
        writeln!(listing, "    ({name:?}, include_str!({file:?})),").expect("a string takes all");
    }
    listing.push_str("]\n");
    let target = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("resources.rs");
    fs::write(target, listing).expect("OUT_DIR takes files");
}
