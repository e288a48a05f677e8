//! crash — the hooks that make "kill at every durable step" a loop (architecture D6), and a panic anywhere a test (security F-10).
//! Owns: the count of durable steps, the places that may panic. May import: nothing of ours.
//! Start reading at: `step`. Call it directly after each commit, rename or answer that must survive.

/// Says that a durable step is done. With the feature `fault` and `POSTRIDER_CRASH_AT=<n>` in the environment
/// the process ends at the n-th call with code 100, without unwinding or flushing; with `POSTRIDER_CRASH_LOG=<file>` each
/// step's name becomes a line of that file, so that they can be counted; else this is nothing.
#[cfg(feature = "fault")]
pub fn step(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static AT: OnceLock<Option<u64>> = OnceLock::new();
    let at = *AT.get_or_init(|| std::env::var("POSTRIDER_CRASH_AT").ok()?.parse().ok());
    let now = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(log) = std::env::var_os("POSTRIDER_CRASH_LOG")
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(log)
    {
        // Whoever counts sees that a line is missing.
        let _ = std::io::Write::write_all(&mut file, format!("{name}\n").as_bytes());
    }
    if at == Some(now) {
        signal_hook::low_level::exit(100);
    }
}

/// Says that a durable step is done; nothing without the feature `fault`.
#[cfg(not(feature = "fault"))]
#[inline]
pub fn step(_name: &'static str) {}

/// A place where a mistake of ours would be met. With the feature `fault` and `POSTRIDER_PANIC=<place>:<n>` in the environment it
/// panics the n-th time that this place is reached, with `<place>:<n>+` from then on; else this is nothing.
#[cfg(feature = "fault")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn place(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static AT: OnceLock<Option<(String, u64, bool)>> = OnceLock::new();
    let at = AT.get_or_init(|| {
        let text = std::env::var("POSTRIDER_PANIC").ok()?;
        let (name, n) = text.split_once(':')?;
        Some((name.to_owned(), n.trim_end_matches('+').parse().ok()?, n.ends_with('+')))
    });
    if let Some((wanted, n, on)) = at
        && wanted == name
    {
        let now = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
        if now == *n || *on && now > *n {
            panic!("a test made `{name}` panic");
        }
    }
}

/// A place where a mistake of ours would be met; nothing without the feature `fault`.
#[cfg(not(feature = "fault"))]
#[inline]
pub fn place(_name: &str) {}

/// A mail on which we would fail. With the feature `fault` and `POSTRIDER_POISON=<place>:<word>` in the environment it panics at that
/// place where the word is in the mail; else this is nothing.
#[cfg(feature = "fault")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn poison(place: &str, mail: &[u8]) {
    use std::sync::OnceLock;
    static WORD: OnceLock<Option<String>> = OnceLock::new();
    if let Some((at, word)) = WORD.get_or_init(|| std::env::var("POSTRIDER_POISON").ok()).as_ref().and_then(|w| w.split_once(':'))
        && at == place
        && mail.windows(word.len().max(1)).any(|w| w == word.as_bytes())
    {
        panic!("a mail made us panic");
    }
}

/// A mail on which we would fail; nothing without the feature `fault`.
#[cfg(not(feature = "fault"))]
#[inline]
pub fn poison(_place: &str, _mail: &[u8]) {}
