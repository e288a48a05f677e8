//! opened — the private folder for attachments that are handed to the desktop; gone when the reader is.
//! Owns: `Opened`. May import: base.
//! Start reading at: `Opened::new` (security K-10). What a killed reader left behind is removed by the next one.

use crate::base::paths::private_dir;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PREFIX: &str = "opened-";

/// The folder, as long as this lives.
#[derive(Debug)]
pub struct Opened(PathBuf);

impl Opened {
    /// Makes it below `run`, a private folder of ours.
    ///
    /// # Errors
    /// It cannot be made, or belongs to somebody else.
    pub fn new(run: &Path) -> io::Result<Self> {
        sweep(run);
        let own = run.join(format!("{PREFIX}{}", std::process::id()));
        private_dir(&own)?;
        Ok(Self(own))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // What is left is removed at the next start.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the folders of readers that are gone.
fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.strip_prefix(PREFIX)).and_then(|n| n.parse::<u32>().ok()) else { continue };
        // Another folder's turn comes with the next start.
        if !Path::new("/proc").join(pid.to_string()).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn k10_nothing_opened_is_left_behind() {
        let run = tempfile::tempdir().unwrap();
        let dead = run.path().join("opened-4000000000");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("secret.pdf"), "x").unwrap();
        let other = run.path().join("socket");
        fs::write(&other, "").unwrap();
        let opened = Opened::new(run.path()).unwrap();
        assert!(!dead.exists() && other.exists());
        assert_eq!(fs::metadata(opened.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(opened.path().join("a.pdf"), "x").unwrap();
        let path = opened.path().to_owned();
        drop(opened);
        assert!(!path.exists());
    }
}
