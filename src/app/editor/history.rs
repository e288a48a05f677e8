//! history — what was changed, so that it can be taken back step by step.
//! Owns: `History`, `Change`. May import: base.
//! Start reading at: `History::record`. Letters typed in a row are one step up to the next word, so that undo takes words back, not
//! letters; a paste, a cut, a line break is a step of its own.

use super::buffer::{Buffer, Pos, end_of};

/// The most text that is remembered, in bytes: the oldest steps are forgotten beyond it.
const MAX_BYTES: usize = 32 << 20;

/// How a change came about: only like follows like in one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Letters, one by one.
    Typing,
    /// Rubbing out to the left.
    Erasing,
    /// Everything else.
    Whole,
}

/// One replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it begins, before and after.
    pub at: Pos,
    /// What stood there.
    pub removed: String,
    /// What stands there now.
    pub inserted: String,
    /// The cursor before it.
    pub before: Pos,
}

impl Change {
    const fn bytes(&self) -> usize {
        self.removed.len() + self.inserted.len()
    }
}

/// Steps that were done, and steps that were taken back.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
    /// Of the last of `done`, if it may still grow.
    open: Option<Kind>,
    bytes: usize,
}

impl History {
    /// Remembers a change that was made.
    pub fn record(&mut self, change: Change, kind: Kind) {
        let gone: usize = self.undone.drain(..).map(|c| c.bytes()).sum();
        self.bytes = self.bytes - gone + change.bytes();
        if self.open == Some(kind)
            && let Some(last) = self.done.last_mut()
        {
            match kind {
                Kind::Typing if end_of(last.at, &last.inserted) == change.at && change.removed.is_empty() => {
                    let word_ends = last.inserted.ends_with(' ') && !change.inserted.starts_with(' ');
                    if !word_ends {
                        last.inserted.push_str(&change.inserted);
                        return;
                    }
                }
                Kind::Erasing if end_of(change.at, &change.removed) == last.at => {
                    last.at = change.at;
                    last.removed.insert_str(0, &change.removed);
                    return;
                }
                Kind::Typing | Kind::Erasing | Kind::Whole => {}
            }
        }
        self.open = (kind != Kind::Whole).then_some(kind);
        self.done.push(change);
        self.forget();
    }

    fn forget(&mut self) {
        let mut gone = 0;
        while self.bytes > MAX_BYTES && gone + 1 < self.done.len() {
            self.bytes -= self.done.get(gone).map_or(0, Change::bytes);
            gone += 1;
        }
        self.done.drain(..gone);
    }

    /// What is typed from here on is a step of its own.
    pub const fn close(&mut self) {
        self.open = None;
    }

    /// Takes the last step back; where the cursor was before it.
    pub fn undo(&mut self, buffer: &mut Buffer) -> Option<Pos> {
        let change = self.done.pop()?;
        self.open = None;
        buffer.replace(change.at, end_of(change.at, &change.inserted), &change.removed);
        let cursor = change.before;
        self.undone.push(change);
        Some(cursor)
    }

    /// Does the step again that was taken back last; where the cursor is behind it.
    pub fn redo(&mut self, buffer: &mut Buffer) -> Option<Pos> {
        let change = self.undone.pop()?;
        let cursor = buffer.replace(change.at, end_of(change.at, &change.removed), &change.inserted);
        self.done.push(change);
        Some(cursor)
    }
}
