//! api — all that `app`, `ui` and `cli` know of the engine: plain values, no handle, no thread.
//! Owns: requests, queries and their answers, news. May import: mail, base, and the engine's own values.
//! Start reading at: `request.rs` (what can be asked for), `query.rs` (what can be looked at), `news.rs` (what comes back).

pub mod job;
pub mod news;
pub mod query;
pub mod request;
pub mod summary;

pub use crate::mail::outgoing::OutboxState;

pub use super::fault::{Fault, Kind, Reach, Remedy, Retry};
pub use job::{Job, JobId, JobState, Unit};
pub use news::{Changes, Connectivity, Done, News, Outcome, Progress, Task};
pub use query::{
    Answer, Away, Body, Contact, DraftRow, MessagePage, MessageView, OutboxRow, PieceState, Query, QueueRow, Rows, SavedDraft,
    SearchPage, ServerSearch, Slot,
};
pub use request::{Brought, MailboxAct, Password, Piece, Request, Ticket};
pub use summary::{AccountSummary, MailboxSummary, SyncSummary};
