//! pipe — a message handed to a command of the shell, in this terminal.
//! Owns: `pipe`. May import: base, ui.
//! Start reading at: `pipe`. The bytes go through a file that only its owner can read; it is removed at the end.

use super::editor::Scratch;
use crate::base::child;
use crate::base::gate::{Permit, Reason};
use std::path::Path;

/// Runs a command with these bytes as its input, with the terminal that the caller has lent, and waits for Enter so that what it
/// said can be read. `folder` is a private one.
///
/// # Errors
/// A sentence. How the command itself ended is said on the terminal.
pub(super) fn pipe(folder: Option<&Path>, command: &str, bytes: &[u8]) -> Result<(), String> {
    let file = Scratch::new(folder, bytes).map_err(|e| format!("No file for the command could be written ({e})"))?;
    let permit = Permit::ask(Reason::Pipe).map_err(|e| e.to_string())?;
    child::foreground(permit, &script(command), &file.0).map_err(|e| format!("The shell cannot be started ({e})"))?;
    Ok(())
}

/// What the shell runs; the file's name comes as its last word.
fn script(command: &str) -> String {
    // The line break ends a comment, and an open quote is the command's own mistake.
    format!("{{ {command}\n}} < \"$1\"; printf '\\n[it ended with %s] Enter goes back ' $?; read -r _ < /dev/tty; :")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_command_gets_the_bytes_as_they_came() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("in.eml"), dir.path().join("out"));
        let bytes = b"Subject: x\r\n\r\n\xff\0 end";
        std::fs::write(&from, bytes).unwrap();
        // As `child::foreground` does, without its terminal.
        let line = script(&format!("cat > '{}' # a comment", to.display())).replace("/dev/tty", "/dev/null");
        let status = Command::new("sh").arg("-c").arg(format!("{line} \"$1\"")).arg("sh").arg(&from).output().unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), bytes);
        assert!(String::from_utf8_lossy(&status.stdout).contains("it ended with 0"));
    }
}
