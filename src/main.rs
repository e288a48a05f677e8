//! main — the door. Verbs arrive with `cli`.
fn main() {}
