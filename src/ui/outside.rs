//! outside — what leaves the screen: the clipboard, the desktop's opener, the shell.
//! Owns: `copy`, `open`, `stop`, `places`, `list`. May import: app, base.
//! Start reading at: `open`. Only what the person chose is opened, and never through a shell.

use super::notify;
use super::terminal::Terminal;
use crate::app::compose::attach::Entry;
use crate::app::reading::Places;
use crate::base::gate::{Permit, Reason};
use crate::base::{child, paths};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsString;
use std::io;

/// The most text that is put on the clipboard, in bytes: terminals drop longer sequences.
const MAX_COPY: usize = 70_000;

/// Puts text on the clipboard of the terminal, wherever it is (OSC 52).
pub(super) fn copy(terminal: &mut Terminal, text: &str) -> io::Result<()> {
    let mut cut = text.len().min(MAX_COPY);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let encoded = STANDARD.encode(text.get(..cut).unwrap_or_default());
    let sequence = format!("\x1b]52;c;{encoded}\x1b\\");
    let tmux = std::env::var_os("TMUX").is_some_and(|v| !v.is_empty());
    terminal.write(sequence.as_bytes())?;
    // tmux takes it for itself; by default it does not hand it on.
    if tmux { terminal.write(notify::passed_on(&sequence, true).as_bytes()) } else { Ok(()) }
}

/// Stops us and what runs with us, as the terminal's own Ctrl-Z does, until the shell brings us back.
pub(super) fn stop() {
    // Refused only where there is nobody who could bring us back.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

/// Where files of messages go: the desktop's folder for downloads, else the home directory.
pub(super) fn places() -> Places {
    let Some(user) = directories::UserDirs::new() else { return Places::default() };
    let home = user.home_dir();
    let save = user.download_dir().filter(|d| d.is_dir()).unwrap_or(home);
    let shown = match save.strip_prefix(home) {
        Ok(below) => std::path::Path::new("~").join(below).display().to_string(),
        Err(_) => save.display().to_string(),
    };
    Places { save: shown, home: std::env::current_dir().unwrap_or_else(|_| home.to_owned()), open: None }
}

/// What lies in a folder that was typed, at most 5,000 entries; nothing where it cannot be read.
pub(super) fn list(folder: &str) -> Vec<Entry> {
    let path = paths::expand(folder, std::path::Path::new(""));
    let path = if path.as_os_str().is_empty() { std::path::PathBuf::from(".") } else { path };
    let read = std::fs::read_dir(path).into_iter().flatten().flatten().take(5_000);
    read.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let meta = std::fs::metadata(entry.path()).ok()?;
        (meta.is_dir() || meta.is_file()).then(|| Entry { name, folder: meta.is_dir(), size: meta.len() })
    })
    .collect()
}

/// Whether there is a desktop to open things on.
pub(super) fn desktop() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

/// Hands an address or a file to the desktop.
///
/// # Errors
/// A sentence.
pub(super) fn open(target: OsString) -> Result<(), String> {
    let permit = Permit::ask(Reason::Opener).map_err(|e| e.to_string())?;
    child::detach(permit, "xdg-open", &[target]).map_err(|e| format!("xdg-open cannot be started ({})", e.kind()))
}
