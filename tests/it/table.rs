//! table — the table in `extensions.rs` names every extension that we use, and every test that it names exists.

use postrider::config::choice::EXTENSIONS;
use std::path::Path;

/// What the program asks a server for, wherever it does (`Offer::has`), beside the words of AUTH.
fn asked() -> Vec<String> {
    let text = std::fs::read_dir(root().join("src/net/imap")).unwrap().map(|file| {
        let file = file.unwrap().path();
        let tests = file.to_string_lossy().contains("tests");
        if tests { String::new() } else { std::fs::read_to_string(file).unwrap() }
    });
    let text: String = text.collect();
    let words = text.split("has(\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(word, _)| word.to_owned()));
    words.filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || "0123456789=+-".contains(c))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_extension_has_its_tests() {
    let rows: Vec<(&str, &str)> =
        include_str!("extensions.rs").lines().filter_map(|l| l.strip_prefix("//! * ")?.split_once(": ")).collect();
    assert!(rows.len() > 30 && rows.is_sorted(), "{rows:?}");
    for (word, tests) in &rows {
        let (with, without) = tests.split_once("; ").unwrap_or_else(|| panic!("{word}: {tests}"));
        for test in [with, without] {
            let (place, name) = test.split_once(' ').unwrap_or_else(|| panic!("{word}: {test}"));
            let file = if place.contains('/') { place.to_owned() } else { format!("tests/it/{place}.rs") };
            let text = std::fs::read_to_string(root().join(&file)).unwrap_or_else(|e| panic!("{word}: {file}: {e}"));
            assert!(text.contains(&format!("fn {name}(")), "{word}: no {name} in {file}");
        }
    }
    // Others spellings of one, and a prohibition.
    const ALSO: [&str; 3] = ["UTF8=ONLY", "LOGINDISABLED", "THREAD=REFERENCES"];
    for word in asked() {
        let known = rows.iter().any(|(row, _)| row.eq_ignore_ascii_case(&word) || word.starts_with(&format!("{row}=")));
        assert!(known || ALSO.contains(&word.as_str()), "{word} has no row");
    }
    // And what may be switched off, and is shown as used, is used.
    for word in EXTENSIONS {
        assert!(asked().iter().any(|asked| asked == word), "{word} is asked for nowhere");
    }
}

/// What is left out beside another server is there, and each has its reason.
#[test]
fn what_is_left_out_beside_cyrus_is_there() {
    let list = std::fs::read_to_string(root().join("tests/mailhost/cyrus-leaves-out")).unwrap();
    let rows: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let (test, why) = row.split_once(": ").unwrap_or_else(|| panic!("{row}: no reason"));
        let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{row}: no test"));
        let text = std::fs::read_to_string(root().join(format!("tests/it/{file}.rs"))).unwrap_or_else(|e| panic!("{row}: {e}"));
        assert!(!why.is_empty() && text.contains(&format!("fn {name}(")), "{row}");
    }
}
