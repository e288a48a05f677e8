//! main — the door; `cli` opens it.

/// Ends with the verb's exit code.
fn main() -> std::process::ExitCode {
    postrider::cli::run()
}
