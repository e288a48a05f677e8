//! rescue — what was being written when the store would take nothing more: into a file, and said.
//! Owns: `keep`. May import: app, base, cli.
//! Start reading at: `keep`.

use super::exit::{self, Failure};
use crate::app::compose::Unsaved;
use crate::base::paths::{Paths, write_private};
use std::path::PathBuf;

/// Writes each mail into a file of its own that only its owner can read, where there is room, and says where it is. The
/// exit code.
///
/// # Errors
/// 73 if there is room nowhere: then the text itself is the last thing said.
pub fn keep(lost: &[Unsaved], paths: &Paths) -> Result<u8, Failure> {
    for (n, mail) in (1..).zip(lost) {
        let name = format!("postrider-unsaved-{}-{n}.txt", std::process::id());
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let folders = [Some(paths.state.clone()), home, Some(std::env::temp_dir())];
        let mut places = folders.into_iter().flatten().map(|folder| folder.join(&name));
        match places.find(|file| write_private(file, mail.text.as_bytes()).is_ok()) {
            Some(file) => exit::say(&format!(
                "{} could not be saved as a draft. Its text is in {}; attachments are not",
                mail.title,
                file.display()
            )),
            None => {
                let what = format!("{} could be saved nowhere, it follows:\n{}", mail.title, mail.text);
                exit::say(&what);
                return Err(Failure::new(exit::CANNOT_WRITE, "no folder takes a file", "Make room on the disk"));
            }
        }
    }
    Ok(if lost.is_empty() { exit::OK } else { exit::CANNOT_WRITE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::safetext::SafeText;

    #[test]
    fn the_words_go_where_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::of_profile(dir.path());
        assert_eq!(keep(&[], &paths), Ok(exit::OK));
        let mail = Unsaved { title: SafeText::of("New message"), text: "To: ann@x\n\nWords\n".to_owned() };
        std::fs::create_dir_all(&paths.state).unwrap();
        assert_eq!(keep(&[mail], &paths), Ok(exit::CANNOT_WRITE));
        let written: Vec<_> = std::fs::read_dir(&paths.state).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(std::fs::read_to_string(&written[0]).unwrap(), "To: ann@x\n\nWords\n");
    }
}
