//! records — a TLS 1.3 server whose records are made by hand once the handshake is done: key updates, empty records, records of
//! one byte, as many as one likes.
//! Start reading at: `serve`. The secret comes from the library's key log; the rest is RFC 8446, 5 and 7.

use super::cert::Identity;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt_aead};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Content types of a record.
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
/// KeyUpdate, one octet: no answer wanted.
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// The server's half of a line, after the handshake.
pub struct Records {
    tcp: TcpStream,
    secret: Vec<u8>,
    number: u64,
    /// Made, and not sent yet.
    ready: Vec<u8>,
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    Signer::new(MessageDigest::sha256(), &PKey::hmac(key).unwrap()).unwrap().sign_oneshot_to_vec(text).unwrap()
}

/// HKDF-Expand-Label, for what one block of the hash is enough for.
fn expand(secret: &[u8], label: &str, size: u8) -> Vec<u8> {
    let label = format!("tls13 {label}");
    let info = [&[0, size, u8::try_from(label.len()).unwrap()], label.as_bytes(), &[0, 1]].concat();
    mac(secret, &info)[..usize::from(size)].to_vec()
}

impl Records {
    /// A record with this in it, for the next [`Records::send`].
    pub fn data(&mut self, text: &[u8]) {
        self.record(text, DATA);
    }

    /// New keys from here on.
    pub fn key_update(&mut self) {
        self.record(&KEY_UPDATE, HANDSHAKE);
        self.secret = expand(&self.secret, "traffic upd", 32);
        self.number = 0;
    }

    fn record(&mut self, text: &[u8], kind: u8) {
        let (key, mut nonce) = (expand(&self.secret, "key", 16), expand(&self.secret, "iv", 12));
        nonce[4..].iter_mut().zip(self.number.to_be_bytes()).for_each(|(n, b)| *n ^= b);
        self.number += 1;
        let size = u16::try_from(text.len() + 1 + 16).unwrap().to_be_bytes();
        let head = [DATA, 3, 3, size[0], size[1]];
        let mut tag = [0; 16];
        let inner = [text, &[kind]].concat();
        let sealed = encrypt_aead(Cipher::aes_128_gcm(), &key, Some(&nonce), &head, &inner, &mut tag).unwrap();
        self.ready.extend_from_slice(&[&head[..], &sealed, &tag].concat());
    }

    /// Sends what was made; false once the client is gone.
    pub fn send(&mut self) -> bool {
        self.tcp.write_all(&std::mem::take(&mut self.ready)).is_ok()
    }
}

/// A server for one client: its port. After the handshake `then` has the line, and keeps it open until it returns.
pub fn serve(then: impl FnOnce(&mut Records) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&secret);
    let mut acceptor = Identity::good().builder();
    acceptor.set_ciphersuites("TLS_AES_128_GCM_SHA256").unwrap();
    // They would be records of the library's own.
    acceptor.set_num_tickets(0).unwrap();
    acceptor.set_keylog_callback(move |_, line| {
        if let Some(rest) = line.strip_prefix("SERVER_TRAFFIC_SECRET_0 ") {
            let hex = rest.rsplit(' ').next().unwrap_or_default();
            let octet = |n: usize| u8::from_str_radix(&hex[n..n + 2], 16).unwrap();
            *told.lock().unwrap() = (0..hex.len()).step_by(2).map(octet).collect();
        }
    });
    let acceptor = acceptor.build();
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nodelay(true).unwrap();
        let line = tcp.try_clone().unwrap();
        let _held = acceptor.accept(tcp).unwrap();
        let secret = secret.lock().unwrap().clone();
        then(&mut Records { tcp: line, secret, number: 0, ready: Vec::new() });
    });
    port
}
