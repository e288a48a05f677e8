//! map — the table in `main.rs` names every vector, and every test that it names exists.

use std::collections::BTreeMap;
use std::path::Path;

/// Vectors whose thing is not there yet say so with these words, and why.
const NOT_YET: &str = "not built yet: ";

#[test]
fn every_vector_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows: BTreeMap<&str, &str> =
        include_str!("main.rs").lines().filter_map(|l| l.strip_prefix("//! * ")?.split_once(' ')).collect();
    for (letter, last) in [("T", 19), ("S", 30), ("F", 13)] {
        for n in 1..=last {
            let number = format!("{letter}-{n:02}");
            let tests = rows.get(number.as_str()).unwrap_or_else(|| panic!("{number} has no row"));
            if let Some(why) = tests.strip_prefix(NOT_YET) {
                assert!(why.len() > 5, "{number}: why not?");
                continue;
            }
            for test in tests.split(", ") {
                let (place, name) = test.split_once(' ').unwrap_or_else(|| panic!("{number}: {test}"));
                let file = if place.contains('/') { place.to_owned() } else { format!("tests/vectors/{place}.rs") };
                let text = std::fs::read_to_string(root.join(&file)).unwrap_or_else(|e| panic!("{number}: {file}: {e}"));
                assert!(text.contains(&format!("fn {name}(")), "{number}: no {name} in {file}");
            }
        }
    }
    assert_eq!(rows.len(), 19 + 30 + 13, "{rows:?}");
}
