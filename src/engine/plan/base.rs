//! base — what a pass starts from and how it ends.
//! Owns: `Base`, `Partly`, `Policy`, `Outcome`.
//! May import: mail.
//! Start reading at: `Base`. It is recorded last, after everything that it claims.

use super::step::Refusal;
use crate::mail::uid::{ModSeq, UidSet, UidValidity};

/// How far the cache is known to agree with the server about one mailbox. All 0 for a mailbox never synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Base {
    /// UIDVALIDITY of all cached UIDs.
    pub uidvalidity: UidValidity,
    /// UIDNEXT when they agreed. A hint: nothing is left out because of it.
    pub uidnext: u32,
    /// Every change up to this is recorded; 0 without CONDSTORE.
    pub highestmodseq: ModSeq,
}

/// How far passes came that were broken off before any could record a [`Base`]: the next one goes on from there. Without it a
/// line that breaks within the first rows of each connection would bring the same rows for ever.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Partly {
    /// UIDVALIDITY of `done`.
    pub uidvalidity: UidValidity,
    /// Every change of `done` up to this is recorded; 0 without CONDSTORE: then `done` was looked at not long ago.
    pub since: ModSeq,
    /// Messages whose rows or flags are recorded.
    pub done: UidSet,
    /// How many messages are asked for at first; 0 as usual. Fewer each time that nothing came: over TLS nothing counts before
    /// the end of a record, and a server may put 16 kB into one.
    pub window: u32,
    /// Numbers of which is known whether a message has them; those that the server may yet give are never among them.
    pub looked: UidSet,
    /// Those of them that a message had.
    pub there: UidSet,
    /// Of how many numbers is asked at a time which are there; 0: of all.
    pub span: u32,
}

/// What the executor decides for the planner, as data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The time, seconds since 1970: operations with a later `not_before` wait.
    pub now: i64,
    /// Messages in the first window of a fetch.
    pub first_window: u32,
    /// ... if the pass before this one had not come to larger ones when it made room; 0 if there was none.
    pub reached_window: u32,
    /// Windows grow up to this many messages.
    pub max_window: u32,
    /// A window that took less than this many milliseconds makes the next one at least twice as large.
    pub quick_ms: u32,
    /// Whether a changed UIDVALIDITY is followed. False after three changes in short time (security S-22):
    /// then the pass touches nothing.
    pub may_rebase: bool,
    /// The mailbox is one that does not keep its numbers; if anything, it may be followed to these (security S-22).
    pub unstable: Option<UidValidity>,
    /// Whether a count that does not fit is looked into: not again at once where the server contradicts itself (security S-10).
    pub recount: bool,
    /// The UIDVALIDITY that the last list showed for this name; 0 if it was not listed.
    pub listed: UidValidity,
    /// Whether the list was asked since the mailbox was last found to be another one: then it is one that was numbered anew.
    pub looked_up: bool,
    /// If more than so many messages vanish, and more than half, they are hidden and kept until the next pass confirms it
    /// (security S-13).
    pub doubtful: u64,
}

impl Policy {
    /// The usual one (decisions 10, security S-13).
    #[must_use]
    pub const fn at(now: i64) -> Self {
        Self {
            now,
            first_window: 500,
            reached_window: 0,
            max_window: 20_000,
            quick_ms: 200,
            may_rebase: true,
            unstable: None,
            recount: true,
            listed: UidValidity(0),
            looked_up: true,
            doubtful: 100,
        }
    }
}

/// How a pass ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything is recorded.
    Synced,
    /// Something moved under the pass (UIDVALIDITY between two SELECTs): start another one now.
    Again,
    /// There is no such mailbox (any more): list mailboxes anew.
    NoMailbox,
    /// The mailbox changes its UIDVALIDITY too often: leave it as it is and say so.
    Unstable(UidValidity),
    /// The server refused a question.
    Refused(Refusal),
    /// The connection is gone, or a Record failed. What was recorded stands.
    LineLost,
}
