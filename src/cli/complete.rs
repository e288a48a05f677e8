//! complete — `postrider completions SHELL`.
//! Owns: nothing; clap knows the command line.
//! May import: cli.
//! Start reading at: `run`.

use super::args::Args;
use super::exit::{self, Failure};
use super::output::Out;
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints a completion script.
pub fn run(shell: Shell, out: &mut Out) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "postrider", &mut script);
    out.raw(&script)?;
    Ok(exit::OK)
}
