//! paths — where the program's files are, and that nobody else can read them.
//! Owns: `Paths` (XDG through `directories`, or everything below `--profile DIR`, decisions 9), private folders and files.
//! May import: nothing of ours.
//! Start reading at: `Paths::create`.

use directories::ProjectDirs;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The longest path that a Unix socket can have on Linux, without the final NUL (unix(7)).
const MAX_SOCKET: usize = 107;

/// Where things are. The folders may not exist before [`Paths::create`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// The configuration file.
    pub config: PathBuf,
    /// `state.sqlite`, `spool/`, `cache.sqlite`, `blobs/`.
    pub data: PathBuf,
    /// The log's folder.
    pub state: PathBuf,
    /// The socket's folder.
    pub run: PathBuf,
}

impl Paths {
    /// The folders of the XDG base directory specification. Nothing if there is no home directory.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let dirs = ProjectDirs::from("", "", "postrider")?;
        let data = dirs.data_dir().to_owned();
        let run = dirs.runtime_dir().map_or_else(|| run_below_temp(&data), Path::to_owned);
        Some(Self {
            config: dirs.config_dir().join("config.toml"),
            state: dirs.state_dir().map_or_else(|| data.join("state"), Path::to_owned),
            run: socket_fits(run, &data),
            data,
        })
    }

    /// Everything below one folder (decisions 9).
    #[must_use]
    pub fn of_profile(dir: &Path) -> Self {
        // A relative folder would name something else after a change of directory.
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let data = dir.join("data");
        Self { config: dir.join("config.toml"), run: socket_fits(dir.join("run"), &data), state: dir.join("state"), data }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.state.join("postrider.log")
    }

    /// The socket by which a second process talks to the first.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run.join("socket")
    }

    /// Makes the folders for data, log and socket, 0700.
    ///
    /// # Errors
    /// With the folder's name, if one cannot be made, is a symbolic link, or belongs to somebody else (security K-01).
    pub fn create(&self) -> io::Result<()> {
        [&self.data, &self.state, &self.run].into_iter().try_for_each(|dir| private_dir(dir))
    }
}

/// Makes `dir` and what is missing above it, readable by its owner only whatever the umask; an existing one is closed to others.
///
/// # Errors
/// With the folder's name, if it cannot be made, is a symbolic link or no folder, or belongs to somebody else.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", dir.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(named)?;
    let found = fs::symlink_metadata(dir).map_err(named)?;
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", dir.display())));
    if !found.is_dir() {
        return refuse("is a symbolic link");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(named)?;
    }
    Ok(())
}

/// Replaces `path` in one step by a file that only its owner can read: temporary file, fsync, rename, fsync of the folder.
/// An existing file's mode is narrowed, never widened.
///
/// # Errors
/// If the folder cannot be written or is full; `path` is then as it was.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = folder.join(name);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// Whether others than the owner may read the file with this mode.
#[must_use]
pub fn open_to_others(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// `~` and `~/…` as the home directory; other paths relative to `base`.
#[must_use]
pub fn expand(path: &str, base: &Path) -> PathBuf {
    let home = || directories::BaseDirs::new().map(|d| d.home_dir().to_owned());
    match path.strip_prefix('~') {
        Some("") => home().unwrap_or_else(|| PathBuf::from(path)),
        Some(rest) if rest.starts_with('/') => {
            home().map_or_else(|| PathBuf::from(path), |home| home.join(rest.trim_start_matches('/')))
        }
        _ => base.join(path),
    }
}

/// `run`, unless the socket's path in it would be too long for the system.
fn socket_fits(run: PathBuf, data: &Path) -> PathBuf {
    let long = run.as_os_str().as_bytes().len() + "/socket".len() > MAX_SOCKET;
    if long { run_below_temp(data) } else { run }
}

/// A folder of this user and profile below the temporary folder; `private_dir` checks its owner.
fn run_below_temp(data: &Path) -> PathBuf {
    use sha2::{Digest, Sha256};
    let profile = Sha256::digest(data.as_os_str().as_bytes());
    let mut name = format!("postrider-{}-", rustix::process::geteuid().as_raw());
    for byte in profile.iter().take(8) {
        name.push_str(&format!("{byte:02x}"));
    }
    std::env::temp_dir().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_holds_everything() {
        let paths = Paths::of_profile(Path::new("/p"));
        assert_eq!(paths.config, Path::new("/p/config.toml"));
        assert_eq!(paths.data, Path::new("/p/data"));
        assert_eq!(paths.log(), Path::new("/p/state/postrider.log"));
        assert_eq!(paths.socket(), Path::new("/p/run/socket"));
        let deep = Paths::of_profile(Path::new(&format!("/{}", "d".repeat(120))));
        assert!(deep.socket().as_os_str().len() <= MAX_SOCKET);
    }

    #[test]
    fn folders_are_closed_to_others() {
        let temp = tempfile::tempdir().unwrap();
        let open = temp.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        for dir in [open, temp.path().join("a/b")] {
            private_dir(&dir).unwrap();
            assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        }
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(temp.path().join("a"), &link).unwrap();
        assert_eq!(private_dir(&link).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("config.toml");
        fs::write(&path, "old").unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn home_is_expanded() {
        let base = Path::new("/base");
        assert_eq!(expand("x", base), Path::new("/base/x"));
        assert_eq!(expand("/x", base), Path::new("/x"));
        assert!(expand("~/x", base).ends_with("x") && !expand("~/x", base).starts_with("/base"));
    }
}
