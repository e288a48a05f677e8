//! gate — the one door to the outside (decisions 27): nothing connects, resolves or starts a program without a permit.
//! Owns: `Permit`, `Reason`, `Reading`. May import: nothing of ours.
//! Start reading at: `Permit::ask`. Every reason is a wish of the person or of an account; a mail has none, and
//! while a mail is being read or drawn on this thread ([`reading`]) every request is refused.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// Why something leaves this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// The account's own mail server.
    MailServer,
    /// Finding the servers of an address that the person typed.
    Discovery,
    /// Submitting a mail that the person sent.
    Submission,
    /// The account's password command.
    PasswordCommand,
    /// The person's editor.
    Editor,
    /// A command that the person typed for a message.
    Pipe,
    /// Opening a link or an attachment that the person chose.
    Opener,
    /// Telling of new mail.
    Notifier,
    /// A copy to the clipboard by a helper program.
    Clipboard,
}

/// Leave to go outside, for one reason. Not to be made elsewhere.
#[derive(Debug)]
pub struct Permit {
    reason: Reason,
}

/// The door is shut: a mail is being read on this thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading a mail opens no connection and starts no program")
    }
}

impl std::error::Error for Refused {}

thread_local! {
    static READERS: Cell<u32> = const { Cell::new(0) };
}

impl Permit {
    /// Leave to go outside for `reason`.
    ///
    /// # Errors
    /// [`Refused`] while [`reading`] on this thread.
    pub fn ask(reason: Reason) -> Result<Self, Refused> {
        if READERS.get() > 0 { Err(Refused) } else { Ok(Self { reason }) }
    }

    /// What it was given for.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

/// While it lives the door is shut for this thread.
#[derive(Debug)]
pub struct Reading {
    // The count is this thread's: the guard must not travel.
    here: PhantomData<*const ()>,
}

/// Shuts the door: for parsing, rendering and drawing what others wrote.
#[must_use]
pub fn reading() -> Reading {
    READERS.set(READERS.get() + 1);
    Reading { here: PhantomData }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READERS.set(READERS.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_goes_nowhere() {
        assert_eq!(Permit::ask(Reason::Opener).unwrap().reason(), Reason::Opener);
        {
            let _outer = reading();
            drop(reading());
            assert!(Permit::ask(Reason::MailServer).is_err());
        }
        assert!(Permit::ask(Reason::MailServer).is_ok());
    }
}
