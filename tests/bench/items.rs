//! items — of what the octets of a list row are made, item by item, and what other ways to ask would cost.
//! Start reading at: `run`. It is counted on a bare connection, so that it says what the server tells, not what we do with it.

use crate::bare::Bare;
use crate::corpus::Corpus;
use crate::mailhost::{host, user};
use crate::report::Report;
use crate::server;

/// Messages that are asked for.
const ROWS: u32 = 1_000;

/// Fields of a header that a row, a thread, a search and a reply use.
const FIELDS: &str = "FROM TO CC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES";

/// What mutt 2.2 asks for, beside flags, date and size.
const MUTT: &str = "DATE FROM SENDER SUBJECT TO CC MESSAGE-ID REFERENCES CONTENT-TYPE CONTENT-DESCRIPTION IN-REPLY-TO REPLY-TO \
                    LINES LIST-POST X-LABEL";

/// What is asked for, besides the UID.
fn asked() -> Vec<(&'static str, String)> {
    let all = "FLAGS INTERNALDATE RFC822.SIZE";
    vec![
        ("UID alone", String::new()),
        ("FLAGS", "FLAGS".into()),
        ("INTERNALDATE", "INTERNALDATE".into()),
        ("RFC822.SIZE", "RFC822.SIZE".into()),
        ("ENVELOPE", "ENVELOPE".into()),
        ("BODYSTRUCTURE", "BODYSTRUCTURE".into()),
        ("References", "BODY.PEEK[HEADER.FIELDS (REFERENCES)]".into()),
        ("Content-Type", "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)]".into()),
        ("all header fields of an envelope", format!("BODY.PEEK[HEADER.FIELDS (DATE SENDER REPLY-TO BCC {FIELDS})]")),
        ("... without Date, Sender, Reply-To, Bcc", format!("BODY.PEEK[HEADER.FIELDS ({FIELDS})]")),
        ("the whole header", "BODY.PEEK[HEADER]".into()),
        ("... but what mail systems add", "BODY.PEEK[HEADER.FIELDS.NOT (RECEIVED)]".into()),
        ("Message-ID", "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]".into()),
        (
            "by ENVELOPE, BODYSTRUCTURE and References",
            format!("{all} ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)]"),
        ),
        ("what a list row asks for", server::ENVELOPE.trim_matches(['(', ')']).trim_start_matches("UID ").to_owned()),
        ("what mutt asks for", format!("{all} BODY.PEEK[HEADER.FIELDS ({MUTT})]")),
        ("... by header fields, with the structure", format!("{all} BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS ({FIELDS})]")),
        ("... by header fields, without it", format!("{all} BODY.PEEK[HEADER.FIELDS ({FIELDS})]")),
        ("... by header fields and Content-Type", format!("{all} BODY.PEEK[HEADER.FIELDS ({FIELDS} CONTENT-TYPE)]")),
    ]
}

/// Prints octets a message.
pub fn run(count: u32, report: &mut Report) {
    let corpus = Corpus { seed: 1, count: count.max(2 * ROWS) };
    let me = user();
    server::fill(&corpus, &me);
    report.section(&format!("Octets a message, the newest {ROWS} of {}", corpus.count));
    let mut bare = Bare::open(host().imaps, &me);
    bare.ask("EXAMINE INBOX");
    let from = corpus.count - ROWS + 1;
    let octets = |bare: &mut Bare, items: &str| bare.ask(&format!("UID FETCH {from}:* (UID {items})")).0 as f64 / f64::from(ROWS);
    let frame = octets(&mut bare, "");
    for (name, items) in asked() {
        let (first, again) = (octets(&mut bare, &items), octets(&mut bare, &items));
        assert!((first - again).abs() < 1.0);
        report.note(name, &format!("{again:.0} ({:.0} more than the UID)", again - frame));
    }
}
