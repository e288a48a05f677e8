//! manual — `postrider man`: the manual page, generated from the command line and the texts beside it.
//! Owns: the page's sections; the JSON examples are files in `assets/doc/json/`, which `tests/cli` compares with what is printed.
//! May import: cli.
//! Start reading at: `page`. The generated page is checked in as `assets/doc/postrider.1`.

use super::args::Args;
use super::exit::{self, Failure};
use super::output::Out;
use clap::CommandFactory;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;

/// Exit codes and what they mean (sysexits.h).
const CODES: [(u8, &str); 12] = [
    (0, "Done. A change to mail is done when it is durable here; the server is told next."),
    (1, "Some of several items failed; each failure was said."),
    (64, "Wrong usage."),
    (65, "Bad input, or refused for good by the server."),
    (66, "No such mailbox or message."),
    (69, "A server cannot be reached, or its certificate was refused."),
    (70, "A mistake of the program."),
    (73, "Something cannot be written."),
    (75, "Not now: it is queued and will be tried again."),
    (76, "A server said what the protocol does not know."),
    (77, "The login was refused."),
    (78, "The configuration is wrong, or there is no account."),
];

const FILES: [(&str, &str); 5] = [
    ("~/.config/postrider/config.toml", "The configuration; `postrider config example` prints one with comments."),
    ("~/.local/share/postrider/state.sqlite, spool/", "What no server can give again: queued changes, outbox, drafts."),
    ("~/.local/share/postrider/cache.sqlite, blobs/", "What the servers have; may be deleted at any time."),
    ("~/.local/state/postrider/postrider.log", "The log; never a password in it."),
    ("DIR (--profile DIR)", "config.toml, data/, state/ and run/ are all below it."),
];

const EXAMPLES: [(&str, &str); 5] = [
    ("postrider demo", "Look around, with no account."),
    ("postrider account add ann@example.org --imap imaps://imap.example.org --smtp smtps://smtp.example.org", "Add an account."),
    ("postrider search from:ann has:attachment after:2026-01-01 --json", "For scripts."),
    ("postrider flag 2814749767106561 --add flagged --wait", "Star a message, and come back when the server agrees."),
    ("git send-email --sendmail-cmd='postrider send -i' *.patch", "As the machine's sendmail."),
];

/// The options that every verb has.
const ALL: [&str; 5] = ["config", "profile", "offline", "log", "verbose"];

/// The verbs that print JSON, and what it looks like.
const JSON: [(&str, &str); 14] = [
    ("list, search", include_str!("../../assets/doc/json/list.json")),
    ("mailboxes", include_str!("../../assets/doc/json/mailboxes.json")),
    ("show", include_str!("../../assets/doc/json/show.json")),
    ("attachments", include_str!("../../assets/doc/json/attachments.json")),
    ("outbox", include_str!("../../assets/doc/json/outbox.json")),
    ("queue", include_str!("../../assets/doc/json/queue.json")),
    ("account list", include_str!("../../assets/doc/json/account-list.json")),
    ("watch, one object a line", include_str!("../../assets/doc/json/watch.json")),
    ("sync", include_str!("../../assets/doc/json/sync.json")),
    ("doctor, account test", include_str!("../../assets/doc/json/doctor.json")),
    ("mailbox", include_str!("../../assets/doc/json/mailbox.json")),
    ("undo", include_str!("../../assets/doc/json/undo.json")),
    ("import", include_str!("../../assets/doc/json/import.json")),
    ("export", include_str!("../../assets/doc/json/export.json")),
];

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
    let mut own = Roff::new();
    own.control("SH", ["COMMANDS"]);
    for verb in command.get_subcommands().filter(|v| v.get_name() != "help") {
        verbs(verb, "", &mut own);
    }
    own.control("SH", ["EXIT STATUS"]);
    for (code, what) in CODES {
        tagged(&mut own, &code.to_string(), what);
    }
    own.control("SH", ["FILES"]);
    for (name, what) in FILES {
        tagged(&mut own, name, what);
    }
    own.control("SH", ["EXAMPLES"]);
    for (line, what) in EXAMPLES {
        tagged(&mut own, line, what);
    }
    own.control("SH", ["JSON"]);
    own.text([roman("Keys may be added and are never removed. Times are RFC 3339 in UTC.")]);
    for (verb, example) in JSON {
        own.control("TP", []).text([bold(verb)]).control("nf", []);
        for line in example.lines() {
            own.text([roman(line)]);
        }
        own.control("fi", []);
    }
    own.to_writer(&mut roff)?;
    Ok(roff)
}

/// A verb with its options, and the verbs below it.
fn verbs(verb: &clap::Command, above: &str, roff: &mut Roff) {
    let name = format!("{above}{}", verb.get_name());
    let below: Vec<_> = verb.get_subcommands().filter(|v| v.get_name() != "help").collect();
    if below.is_empty() {
        let mut usage = vec![name.clone()];
        usage.extend(verb.get_positionals().map(ToString::to_string));
        roff.control("TP", []).text([bold(usage.join(" "))]);
        roff.text([roman(verb.get_about().map(ToString::to_string).unwrap_or_default())]);
        // What every verb has stands above; `--json` of the verbs below `outbox` with them.
        let own = |o: &&clap::Arg| {
            !o.is_positional() && !matches!(o.get_id().as_str(), "help" | "version") && !ALL.contains(&o.get_id().as_str())
        };
        for option in verb.get_arguments().filter(own) {
            roff.control("br", []);
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            roff.text([bold(option.to_string()), roman(format!(" {help}"))]);
        }
    }
    for verb in below {
        verbs(verb, &format!("{name} "), roff);
    }
}

fn tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", []).text([bold(tag)]).text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::written;

    #[test]
    fn the_manual_page_is_checked_in() {
        written("assets/doc/postrider.1", &page().unwrap());
    }
}
