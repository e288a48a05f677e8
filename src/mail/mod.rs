//! mail — what mail is.
//! Owns: the field's nouns as types, parsing and building of messages, threading, the query language. Pure.
//! May import: base.   Never: a socket, a file, a clock, a thread; `mail_parser` outside `parse.rs`.
//! Start reading at: `envelope.rs`, then `intent.rs` (what the person wants), `row.rs` (what a list shows).
//! Tested by: unit and property tests beside the code; `tests/corpus/` on real mail.

pub mod address;
pub mod address_list;
pub mod body;
pub mod calendar;
pub mod charset;
pub mod claim;
pub mod compose;
pub mod diff;
pub mod draft;
pub mod enclosed;
pub mod encoded_word;
pub mod envelope;
pub mod filename;
#[cfg(test)]
pub mod fixtures;
pub mod flags;
pub mod flowed;
pub mod header;
pub mod identity;
pub mod ids;
pub mod intent;
pub mod label;
pub mod layout;
pub mod links;
pub mod mailbox;
pub mod mailto;
pub mod mbox;
pub mod meant;
pub mod outgoing;
pub mod outline;
pub mod packed;
pub mod page;
pub mod parse;
pub mod query;
pub mod query_eval;
pub mod query_parse;
pub mod ready;
pub mod render;
pub mod render_html;
pub mod render_invite;
pub mod render_raw;
pub mod render_report;
pub mod render_text;
pub mod rights;
pub mod row;
pub mod section;
pub mod server;
pub mod structure;
pub mod thread;
pub mod transfer;
pub mod uid;
pub mod utf7;
pub mod words;
