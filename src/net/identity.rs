//! identity — the certificate and key that we show to a server which asks who we are.
//! Owns: `Shown`.
//! May import: config.
//! Start reading at: `Shown::read`. The key is in memory only as long as a connector is made of it, which keeps its own.

use super::error::{NetError, Result, TlsReason};
use crate::base::paths::open_to_others;
use crate::config::ClientCert;
use native_tls::Identity;
use openssl::pkey::PKey;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The largest file that is taken for a certificate or key, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// What is shown.
pub(super) struct Shown {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> NetError {
    NetError::tls(TlsReason::BadClientCert, &format!("{}: {why}", path.display()))
}

/// A file and who may read it, as its mode.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32)> {
    let wrong = |e: std::io::Error| unusable(path, &e);
    let file = File::open(path).map_err(wrong)?;
    let about = file.metadata().map_err(wrong)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(about.len().min(MAX_FILE)).unwrap_or(0) + 1));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(unusable(path, &"too large for a certificate or key"));
    }
    Ok((bytes, about.mode()))
}

impl Shown {
    /// What is in the files now.
    ///
    /// # Errors
    /// `Tls(BadClientCert)`: they cannot be read, or others can read the key.
    pub(super) fn read(files: &ClientCert) -> Result<Self> {
        let (key, mode) = read(&files.key)?;
        if open_to_others(mode) {
            return Err(unusable(&files.key, &"others on this machine can read the key; chmod 600 closes it"));
        }
        Ok(Self { cert: read(&files.cert)?.0.to_vec(), key })
    }

    /// Tells it apart from others, without keeping it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut sum = Sha256::new_with_prefix((self.cert.len() as u64).to_be_bytes());
        sum.update(&self.cert);
        sum.update(&*self.key);
        sum.finalize().into()
    }

    /// For a connector.
    ///
    /// # Errors
    /// `Tls(BadClientCert)`: no certificate, no key, a key with a passphrase, or one of another certificate.
    pub(super) fn identity(&self, files: &ClientCert) -> Result<Identity> {
        // Without an answer of ours, OpenSSL would ask for the passphrase at the terminal.
        let mut locked = false;
        let key = PKey::private_key_from_pem_callback(&self.key, |_| {
            locked = true;
            Ok(0)
        });
        let key = match key {
            Ok(key) => key,
            Err(_) if locked => {
                return Err(unusable(&files.key, &"the key has a passphrase; `openssl pkey -in … -out …` takes it off"));
            }
            Err(_) => return Err(unusable(&files.key, &"no key in it (PEM)")),
        };
        let first =
            openssl::x509::X509::from_pem(&self.cert).map_err(|_| unusable(&files.cert, &"no certificate in it (PEM)"))?;
        if !first.public_key().is_ok_and(|public| public.public_eq(&key)) {
            return Err(unusable(&files.key, &"this is the key of another certificate"));
        }
        let pem = Zeroizing::new(key.private_key_to_pem_pkcs8().map_err(|e| unusable(&files.key, &e))?);
        Identity::from_pkcs8(&self.cert, &pem).map_err(|e| unusable(&files.cert, &e))
    }
}
