//! layers — the structure as a test: imports point one way, files stay small, modules say what they own.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import.
const ROOMS: [(&str, &[&str]); 9] = [
    ("base", &[]),
    ("mail", &["base"]),
    ("config", &["mail", "base"]),
    ("store", &["config", "mail", "base"]),
    ("net", &["config", "mail", "base"]),
    ("engine", &["store", "net", "config", "mail", "base"]),
    ("app", &["engine", "config", "mail", "base"]),
    ("ui", &["app", "engine", "config", "mail", "base"]),
    ("cli", &["ui", "app", "engine", "config", "mail", "base"]),
];

/// What a room may not name, beside the rooms above it.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("app", &["std::fs", "std::net", "std::process", "std::thread", "rusqlite", "imap::", "lettre", "ratatui", "crossterm"]),
    ("ui", &["std::net", "rusqlite", "imap::", "lettre"]),
    ("mail", &["std::fs", "std::net", "std::process", "std::thread", "rusqlite", "lettre", "ratatui"]),
    ("engine/plan", &["std::fs", "std::net", "std::thread", "std::time", "crate::store", "crate::net", "rusqlite"]),
];

const MAX_LINES: usize = 400;

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The files of the library: their names below `src`, and what is in them.
fn all() -> Vec<(String, String)> {
    below("src")
}

fn below(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        .map(|p| (p.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&p).unwrap()))
        .collect()
}

/// The code without its tests: these may name what they like.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap()
}

/// Whether a file holds only tests.
fn is_test(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap();
    file == "tests.rs" || file.ends_with("_tests.rs") || file.starts_with("tests_") || name.contains("/tests/")
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in all().into_iter().filter(|(name, _)| !is_test(name)) {
        let Some((room, may)) = ROOMS.iter().find(|(r, _)| name.starts_with(&format!("{r}/"))) else { continue };
        for (n, line) in code(&text).lines().enumerate() {
            for (other, _) in ROOMS {
                let named = line.contains(&format!("crate::{other}::")) || line.contains(&format!("crate::{other};"));
                if named && other != *room && !may.contains(&other) {
                    wrong.push(format!("{name}:{}: {}", n + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up:\n{}", wrong.join("\n"));
}

#[test]
fn rooms_keep_to_their_means() {
    let mut wrong = Vec::new();
    for (name, text) in all().into_iter().filter(|(name, _)| !is_test(name)) {
        for (room, words) in FORBIDDEN {
            if !name.starts_with(&format!("{room}/")) {
                continue;
            }
            for (n, line) in code(&text).lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
                if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                    wrong.push(format!("{name}:{}: {word}", n + 1));
                }
            }
        }
        if name != "mail/parse.rs" && code(&text).lines().any(|l| !l.trim_start().starts_with("//") && l.contains("mail_parser"))
        {
            wrong.push(format!("{name}: mail_parser is named in mail/parse.rs only"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small_and_say_what_they_own() {
    let mut wrong = Vec::new();
    for (name, text) in ["src", "tests"].into_iter().flat_map(below) {
        // Tests too: who reads a file reads all of it.
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{name}: {lines} lines"));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{name}: no header"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_comments_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (folder, name, text) in ["src", "tests"].into_iter().flat_map(|f| below(f).into_iter().map(move |(n, t)| (f, n, t))) {
        let own = root.join(folder).join(&name);
        for (n, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
            for word in words.map(|w| w.trim_end_matches('.')).filter(|w| w.ends_with(".rs") || w.starts_with("assets/")) {
                // From the top, from its room, or from any folder above the file.
                let from =
                    [root.join("src"), root.join("tests")].into_iter().chain(own.ancestors().skip(1).map(Path::to_path_buf));
                if !from.into_iter().any(|base| base.join(word).exists()) {
                    wrong.push(format!("{folder}/{name}:{}: {word}", n + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "comments name files that are not there:\n{}", wrong.join("\n"));
}
