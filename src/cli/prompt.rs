//! prompt — questions on the terminal for what the command line left out; without a terminal, none is asked.
//! Owns: asking.
//! May import: base, cli.
//! Start reading at: `ask`.

use super::exit::{self, Failure};
use std::io::{BufRead, IsTerminal, Read, Write, stderr, stdin};

/// The longest answer, in bytes.
const MAX: u64 = 4_096;

/// Whether there is somebody to ask.
pub fn somebody() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks on standard error; an empty answer is `proposal`.
///
/// # Errors
/// If the terminal went away.
pub fn ask(question: &str, proposal: &str) -> Result<String, Failure> {
    let shown = if proposal.is_empty() { String::new() } else { format!(" [{proposal}]") };
    write!(stderr(), "{question}{shown}: ").map_err(gone)?;
    let mut answer = String::new();
    let read = stdin().lock().take(MAX).read_line(&mut answer).map_err(gone)?;
    if read == 0 {
        return Err(Failure::new(exit::USAGE, "nothing was answered", "Everything can be said on the command line too"));
    }
    let answer = answer.trim();
    Ok(if answer.is_empty() { proposal } else { answer }.to_owned())
}

fn gone(error: std::io::Error) -> Failure {
    Failure::new(exit::DATA, &format!("the answer could not be read ({error})"), "Say it on the command line")
}
