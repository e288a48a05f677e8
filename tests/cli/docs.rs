//! docs — what is written about the program holds.

use crate::bed::Bed;
use std::fs;
use std::path::Path;

#[test]
fn the_example_is_a_configuration() {
    let bed = Bed::new();
    let example = bed.run(&["config", "example"]).out;
    bed.configure(&example);
    let ran = bed.run(&["config", "check"]).code(0);
    assert!(ran.err.is_empty(), "{}", ran.err);
}

/// The map in src/lib.rs and the documents name files: they exist.
#[test]
fn files_that_are_named_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for page in ["src/lib.rs", "README.md", ".github/CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for word in text.split(|c: char| c.is_whitespace() || "`()[],;:".contains(c)) {
            let word = word.trim_end_matches('.');
            let from_root = ["src/", "tests/", "assets/", "themes/"].iter().any(|dir| word.starts_with(dir));
            let from_src = page == "src/lib.rs" && word.contains('/') && word.ends_with(".rs") && !from_root;
            let path = if from_src { root.join("src").join(word) } else { root.join(word) };
            if (from_root || from_src) && !word.contains(['*', '<', 'N']) && !path.exists() {
                missing.push(format!("{page}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
