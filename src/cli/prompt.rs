//! prompt — questions on the terminal for what the command line left out; without a terminal, none is asked.
//! Owns: asking and the password without echo.
//! May import: base, cli.
//! Start reading at: `ask`.

use super::exit::{self, Failure};
use crate::base::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Read, Write, stderr, stdin};
use zeroize::Zeroizing;

/// The longest answer, in bytes; passwords too (security K-04).
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

/// Asks for a password, without showing it.
///
/// # Errors
/// If the terminal went away.
pub fn password(question: &str) -> Result<Secret, Failure> {
    write!(stderr(), "{question}: ").map_err(gone)?;
    let terminal = stdin();
    let before = tcgetattr(&terminal).map_err(|e| gone(e.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|e| gone(e.into()))?;
    let line = first_line();
    tcsetattr(&terminal, OptionalActions::Flush, &before).map_err(|e| gone(e.into()))?;
    let _ = writeln!(stderr());
    line
}

/// The first line of standard input, as a password.
///
/// # Errors
/// 65 if there is none.
pub fn first_line() -> Result<Secret, Failure> {
    let mut line = Zeroizing::new(String::new());
    stdin().lock().take(MAX).read_line(&mut line).map_err(gone)?;
    match line.trim_end_matches(['\n', '\r']) {
        "" => Err(Failure::new(exit::DATA, "standard input holds no password", "Its first line is taken")),
        text => Ok(Secret::new(text.to_owned())),
    }
}

fn gone(error: std::io::Error) -> Failure {
    Failure::new(exit::DATA, &format!("the answer could not be read ({error})"), "Say it on the command line")
}

/// Asks whether to go on; only `y` and `yes` are a yes.
///
/// # Errors
/// If the terminal went away.
pub fn yes(question: &str) -> Result<bool, Failure> {
    Ok(matches!(ask(&format!("{question}? (y/n)"), "n")?.to_lowercase().as_str(), "y" | "yes"))
}
