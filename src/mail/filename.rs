//! filename — a name from a mail, made fit to be one component of a path.
//! Owns: `safe`, `numbered`.
//! May import: base.
//! Start reading at: `safe` (security M-30). What a sender called a file is never a path, an option or a device.

use crate::base::safetext::hostile;

/// The longest name that is made, in bytes; file systems take 255, and ` (1)` must still fit.
pub const MAX_NAME: usize = 200;

/// The longest ending that is kept, in characters.
const MAX_ENDING: usize = 16;

/// One path component for a file that the sender called `name`, never empty, never hidden, never starting with `-`.
#[must_use]
pub fn safe(name: &str) -> String {
    // Only the last component of what looks like a path, of either kind.
    let last = name.rsplit(['/', '\\']).find(|c| !c.trim().is_empty()).unwrap_or_default();
    let mut out = String::with_capacity(last.len().min(MAX_NAME * 2));
    let mut space = false;
    // However long it is, its ending is what a desktop goes by.
    let most = MAX_NAME * 20;
    let tail = last.char_indices().rev().nth(MAX_ENDING).map_or(0, |(i, _)| i);
    let (head, tail) = if last.len() > most { last.split_at(tail) } else { (last, "") };
    for c in head.chars().take(most).chain(tail.chars()) {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        // Shells, Windows shares and terminals each have their own idea of these.
        out.push(if hostile(c) || "<>:\"|?*`$;&'!{}".contains(c) { '_' } else { c });
    }
    let trimmed = out.trim_end_matches(['.', ' ']).trim_start_matches(['.', '-', '~', ' ']);
    let mut name = shorten(trimmed);
    if device(&name) {
        name.insert(0, '_');
    }
    if name.is_empty() { "attachment".to_owned() } else { name }
}

/// Whether a desktop might run a file of that name, type or beginning as a program, or show it as a page that can act: such
/// files are saved, never opened (security M-32).
#[must_use]
pub fn runs(name: &str, mime: &str, head: &[u8]) -> bool {
    const ENDINGS: [&str; 56] = [
        "action", "apk", "app", "appimage", "bash", "bat", "bin", "cmd", "com", "command", "cpl", "csh", "deb", "desktop", "dll",
        "docm", "elf", "exe", "gadget", "hta", "htm", "html", "inf", "jar", "jnlp", "js", "jse", "ksh", "lnk", "mht", "mhtml",
        "msc", "msi", "out", "pif", "pl", "pptm", "ps1", "py", "pyw", "rb", "reg", "rpm", "run", "scr", "service", "sh", "svg",
        "svgz", "url", "vb", "vbs", "webloc", "xhtml", "xlsm", "zsh",
    ];
    let ending = name.rsplit_once('.').map(|(_, e)| e.trim().to_ascii_lowercase()).unwrap_or_default();
    let typed =
        ["script", "executable", "x-msdownload", "x-sh", "x-desktop", "java-archive", "html", "svg", "x-dosexec", "x-ms-"];
    let begins = [&b"\x7fELF"[..], b"MZ", b"#!", b"[Desktop Entry]", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe"];
    ENDINGS.contains(&ending.as_str())
        || typed.iter().any(|t| mime.contains(t))
        || begins.iter().any(|b| head.trim_ascii_start().starts_with(b))
}

/// `name` with ` (n)` before its extension, for the n-th file of that name.
#[must_use]
pub fn numbered(name: &str, n: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() => format!("{stem} ({n}).{ext}"),
        _ => format!("{name} ({n})"),
    }
}

/// Cut in the middle, so that the real extension stays.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let ext = name.rsplit_once('.').map(|(_, e)| e).filter(|e| e.len() <= MAX_ENDING);
    let room = MAX_NAME - ext.map_or(0, |e| e.len() + 1);
    let cut = (0..=room).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
    let stem = name.get(..cut).unwrap_or_default();
    ext.map_or_else(|| stem.to_owned(), |e| format!("{stem}.{e}"))
}

fn device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m32_what_could_run_is_known_by_name_type_and_content() {
        assert!(runs("x.desktop", "text/plain", b""));
        assert!(runs("photo.jpg.EXE", "image/jpeg", b""));
        assert!(runs("page.svg", "image/svg+xml", b"<svg"));
        assert!(runs("notes.txt", "text/plain", b"#!/bin/sh\nrm -rf ~"));
        assert!(runs("notes.pdf", "application/pdf", b"\x7fELF\x02"));
        assert!(runs("notes.txt", "application/x-shellscript", b"echo"));
        assert!(!runs("notes.pdf", "application/pdf", b"%PDF-1.4") && !runs("a.txt", "text/plain", b"hello"));
        assert!(!runs("q3.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"));
    }
    use proptest::prelude::*;

    #[test]
    fn hostile_names() {
        for (name, want) in [
            ("../../.ssh/authorized_keys", "authorized_keys"),
            ("/etc/cron.d/x", "x"),
            ("..\\..\\x", "x"),
            ("~/.bashrc", "bashrc"),
            ("a/b.txt", "b.txt"),
            (".", "attachment"),
            ("..", "attachment"),
            ("", "attachment"),
            ("a\0.txt", "a_.txt"),
            ("a\nb", "a b"),
            ("\x1b]0;PWN\x07.txt", "_]0_PWN_.txt"),
            ("-rf", "rf"),
            ("--version", "version"),
            ("$(touch PWN).pdf", "_(touch PWN).pdf"),
            ("`id`.pdf", "_id_.pdf"),
            (";touch PWN;.pdf", "_touch PWN_.pdf"),
            ("CON", "_CON"),
            ("com1.txt", "_com1.txt"),
            ("a.txt.", "a.txt"),
            ("x  ", "x"),
            ("invoice\u{202e}fdp.exe", "invoice_fdp.exe"),
            ("Grüße.pdf", "Grüße.pdf"),
            ("..%2F..%2Fetc%2Fpasswd", "%2F..%2Fetc%2Fpasswd"),
        ] {
            assert_eq!(safe(name), want, "{name:?}");
        }
        assert_eq!(safe(&format!("photo.jpg{}.exe", " ".repeat(100))), "photo.jpg .exe");
        let long = safe(&format!("{}.tar.gz", "ä".repeat(100_000)));
        assert!(long.len() <= MAX_NAME && long.starts_with("ää"), "{long}");
        assert_eq!(numbered("a.txt", 1), "a (1).txt");
        assert_eq!(numbered("README", 2), "README (2)");
    }

    proptest! {
        #[test]
        fn one_plain_component(raw in "[\\x00-\\u{10ffff}]{0,300}") {
            let name = safe(&raw);
            prop_assert!(!name.is_empty() && name.len() <= MAX_NAME + 1);
            prop_assert!(!name.starts_with(['.', '-', '~']) && !name.contains(['/', '\\', '\0']));
            prop_assert!(!name.chars().any(hostile));
        }
    }
}
