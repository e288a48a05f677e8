//! editor — the person's own editor on the text of a mail, in this terminal.
//! Owns: `edit`. May import: base.
//! Start reading at: `edit`. The text goes through a file that only its owner can read; it is removed at once.

use crate::base::child;
use crate::base::gate::{Permit, Reason};
use crate::base::paths::private_dir;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest text that is taken back, in bytes.
const MAX_TEXT: u64 = 32 << 20;

/// The person's editor: a line for the shell.
fn command() -> String {
    let var = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    var("VISUAL").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

/// Runs the editor on a text, with the terminal that the caller has lent; the new text. `folder` is a private one.
///
/// # Errors
/// A sentence. The text is then as it was.
pub(super) fn edit(folder: Option<&Path>, text: &str) -> Result<String, String> {
    // Editors want the last line ended.
    let ended = if text.ends_with('\n') { "" } else { "\n" };
    let file = Scratch::new(folder, format!("{text}{ended}").as_bytes())
        .map_err(|e| format!("No file for the editor could be written ({e})"))?;
    let permit = Permit::ask(Reason::Editor).map_err(|e| e.to_string())?;
    let editor = command();
    let status = child::foreground(permit, &editor, &file.0).map_err(|e| format!("{editor} cannot be started ({e})"))?;
    if !status.success() {
        return Err(format!("{editor} ended with an error: the text is as it was"));
    }
    if fs::metadata(&file.0).map(|m| m.len()).map_err(|e| format!("The text cannot be read back ({e})"))? > MAX_TEXT {
        return Err("The text is larger than 32 MiB: it stays as it was".to_owned());
    }
    let bytes = fs::read(&file.0).map_err(|e| format!("The text cannot be read back ({e})"))?;
    let text = String::from_utf8_lossy(&bytes);
    // Editors end the last line, too.
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// A file that is gone when this is.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(folder: Option<&Path>, text: &[u8]) -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let name = random.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => std::env::temp_dir().join(format!("postrider-{}", rustix::process::getuid().as_raw())),
        };
        private_dir(&folder)?;
        // Editors know a mail by the end of its name.
        let path = folder.join(format!("mail-{name}.eml"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let scratch = Self(path);
        file.write_all(text)?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Beside the file lie what the editor kept of it.
        let _ = fs::remove_file(&self.0);
        let mut backup = self.0.clone().into_os_string();
        backup.push("~");
        let _ = fs::remove_file(backup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_private_and_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("own");
        let file = Scratch::new(Some(&folder), b"text").unwrap();
        assert_eq!(fs::read_to_string(&file.0).unwrap(), "text");
        assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
