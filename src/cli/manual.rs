//! manual — `postrider man`: the manual page, generated from the command line and the texts in `assets/`.
//! Owns: the page's sections.
//! May import: cli.
//! Start reading at: `page`. The generated page is checked in as assets/postrider.1.

use super::args::Args;
use super::exit::{self, Failure};
use super::output::Out;
use clap::CommandFactory;
use std::io;

/// Prints the page.
pub fn run(out: &mut Out) -> Result<u8, Failure> {
    out.raw(&page()?)?;
    Ok(exit::OK)
}

/// The page in roff.
fn page() -> io::Result<Vec<u8>> {
    let mut roff = Vec::new();
    let mut command = Args::command();
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut roff)?;
    man.render_name_section(&mut roff)?;
    man.render_synopsis_section(&mut roff)?;
    man.render_description_section(&mut roff)?;
    man.render_options_section(&mut roff)?;
    man.render_subcommands_section(&mut roff)?;
    Ok(roff)
}
