//! crash — the hook that makes "kill at every durable step" a loop (architecture D6).
//! Owns: the count of durable steps. May import: nothing of ours.
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
