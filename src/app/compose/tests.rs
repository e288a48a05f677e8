//! tests — the composer key by key.
//! Owns: nothing. May import: app.
