//! docs — what is generated and checked in is what the program says. `POSTRIDER_WRITE_DOCS=1 cargo test --test cli docs` writes it.

use crate::bed::Bed;
use std::fs;
use std::path::Path;

/// (file, the verb that prints it)
const GENERATED: &[(&str, &[&str])] = &[
    ("assets/doc/keys.md", &["keys", "--markdown"]),
    ("assets/doc/postrider.1", &["man"]),
    ("assets/config.example.toml", &["config", "example"]),
];

#[test]
fn generated_documents_are_checked_in() {
    let bed = Bed::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, args) in GENERATED {
        let fresh = bed.run(args).code(0).out;
        if std::env::var_os("POSTRIDER_WRITE_DOCS").is_some() {
            fs::write(root.join(file), &fresh).unwrap();
        }
        let kept = fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(
            kept == fresh,
            "{file} is not what `postrider {}` prints. Run: POSTRIDER_WRITE_DOCS=1 cargo test --test cli docs",
            args.join(" ")
        );
    }
}

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
