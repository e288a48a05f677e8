//! state — what may happen to an outgoing mail, and what follows. Pure: no clock, no socket, no database.
//! Owns: `Event`, `Change`, `step`, `recover`, the pauses between attempts.
//! May import: mail.
//! Start reading at: `step`. Two rules stand above the rest: nothing leads out of `DotSent` and `Unknown` back to sending
//! but a person's wish, and every attempt is counted before it can reach the network.

use crate::mail::outgoing::{OutboxState, Outgoing};

/// Pauses after the first, second … temporary refusal, seconds; the last one repeats (security O-23).
const PAUSES: [i64; 6] = [60, 120, 300, 900, 3_600, LONGEST];

/// The longest of them.
const LONGEST: i64 = 7_200;

/// A mail that could not be sent for so long is given up, seconds (RFC 5321, 4.5.4.1: at least 4–5 days).
pub const GIVE_UP_AFTER: i64 = 5 * 86_400;

/// What happened to a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// All of its files are here, and it is frozen.
    Whole,
    /// The sender takes it up: before anything is dialled.
    Start,
    /// All bytes but the final dot are with the system; the dot follows once this is durable.
    Dot,
    /// The server answered 250 to the dot.
    Accepted,
    /// The copy is in Sent, or none is wanted.
    Filed,
    /// Nobody answered, or the line dropped, before the final dot.
    Unreachable(String),
    /// The server said "later" (4yz), before or after the dot.
    Later(String),
    /// The server said no (5yz), before or after the dot.
    No(String),
    /// Login or certificate.
    NeedsUser(String),
    /// The line dropped after the dot, without an answer.
    Lost,
    /// It was found among the person's sent mails.
    Found,
    /// The person wants it sent now.
    Retry,
    /// The person says that it did arrive.
    MarkSent,
}

/// What becomes of the row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The new state.
    pub state: OutboxState,
    /// The new count of attempts.
    pub attempts: u32,
    /// When something is due next, seconds since 1970; 0 for at once or never, by the state.
    pub due: i64,
    /// What to show; "" if nothing is wrong.
    pub fault: String,
}

/// What follows from `event` at `now` (seconds since 1970); nothing if it cannot happen in that state: then the row
/// was changed by somebody else (a second process, the person), and that stands.
#[must_use]
pub fn step(mail: &Outgoing, event: Event, now: i64) -> Option<Change> {
    use OutboxState as S;
    let to = |state, due| Some(Change { state, attempts: mail.attempts, due, fault: String::new() });
    let why = |state, due, fault| Some(Change { state, attempts: mail.attempts, due, fault });
    match (mail.state, event) {
        (S::Held | S::Queued | S::Deferred, Event::Start) if due(mail, now).is_some_and(|at| at <= now) => {
            Some(Change { state: S::Sending, attempts: mail.attempts + 1, due: 0, fault: String::new() })
        }
        // The time in which it can be taken back began when the person sent it.
        (S::Awaiting, Event::Whole) => to(S::Held, mail.due),
        (S::Sending, Event::Dot) => to(S::DotSent, 0),
        (S::DotSent | S::Unknown, Event::Accepted | Event::Found) => to(S::Accepted, 0),
        (S::Accepted, Event::Filed) => to(S::Filed, 0),
        // An answer after the dot, even a refusal, is an answer: the server did not take it.
        (S::Sending | S::DotSent, Event::Later(text)) => Some(later(mail, text, now)),
        (S::Sending | S::DotSent, Event::No(text)) => why(S::Refused, 0, text),
        (S::Sending, Event::Unreachable(text)) => {
            // No server was met, so nothing counts against the mail but its age.
            let change = later(mail, text, now);
            Some(Change { attempts: mail.attempts.saturating_sub(1), ..change })
        }
        (S::Sending, Event::NeedsUser(text)) => {
            Some(Change { state: S::NeedsUser, attempts: mail.attempts.saturating_sub(1), due: 0, fault: text })
        }
        (S::DotSent, Event::Lost | Event::Unreachable(_)) => why(S::Unknown, 0, UNKNOWN.to_owned()),
        (S::Held | S::Queued | S::Deferred | S::Refused | S::NeedsUser | S::Unknown, Event::Retry) => to(S::Queued, now),
        (S::Unknown, Event::MarkSent) => to(S::Accepted, 0),
        _ => None,
    }
}

/// What is said of a mail whose sending the person stopped.
pub const STOPPED: &str = "you stopped it";

/// What is said of a mail of unknown outcome.
pub const UNKNOWN: &str = "the connection broke after the mail was handed over: it may have been sent";

fn later(mail: &Outgoing, text: String, now: i64) -> Change {
    let state = if now.saturating_sub(mail.mail.created) >= GIVE_UP_AFTER { OutboxState::Refused } else { OutboxState::Deferred };
    let pause = PAUSES.get(mail.attempts.saturating_sub(1) as usize).or(PAUSES.last()).copied().unwrap_or(60);
    let due = if state == OutboxState::Deferred { now + pause } else { 0 };
    Change { state, attempts: mail.attempts, due, fault: text }
}

/// What a start of the program makes of a row that an earlier process left behind, if anything: an attempt without the
/// dot did not happen, one with the dot may have.
#[must_use]
pub fn recover(mail: &Outgoing) -> Option<Change> {
    let change = |state, fault: &str| Some(Change { state, attempts: mail.attempts, due: 0, fault: fault.to_owned() });
    match mail.state {
        OutboxState::Sending => change(OutboxState::Queued, ""),
        OutboxState::DotSent => change(OutboxState::Unknown, UNKNOWN),
        _ => None,
    }
}

/// When this mail has to be looked at next, if time alone can bring that, seconds since 1970. No pause of ours is longer
/// than two hours: a time beyond that was written before the clock was set back, and is over (security O-26).
#[must_use]
pub fn due(mail: &Outgoing, now: i64) -> Option<i64> {
    let waits = matches!(mail.state, OutboxState::Held | OutboxState::Queued | OutboxState::Deferred);
    waits.then(|| if mail.due > now + LONGEST { now } else { mail.due })
}

/// Whether the person can still take it back: it becomes a draft again.
#[must_use]
pub const fn can_cancel(state: OutboxState) -> bool {
    use OutboxState as S;
    matches!(state, S::Awaiting | S::Held | S::Queued | S::Deferred | S::Refused | S::NeedsUser | S::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures;
    use crate::mail::ids::OutboxId;

    use proptest::prelude::*;

    fn mail(state: OutboxState, attempts: u32, due: i64) -> Outgoing {
        let mail = fixtures::outgoing();
        Outgoing { id: OutboxId(1), mail, state, attempts, due, fault: String::new() }
    }

    fn apply(mail: &mut Outgoing, event: Event, now: i64) -> bool {
        let Some(c) = step(mail, event, now) else { return false };
        (mail.state, mail.attempts, mail.due, mail.fault) = (c.state, c.attempts, c.due, c.fault);
        true
    }

    fn event() -> impl Strategy<Value = Event> {
        let t = || "x".to_owned();
        prop_oneof![
            4 => Just(Event::Start),
            4 => Just(Event::Dot),
            2 => Just(Event::Accepted),
            1 => Just(Event::Filed),
            1 => Just(Event::Unreachable(t())),
            1 => Just(Event::Later(t())),
            1 => Just(Event::No(t())),
            1 => Just(Event::NeedsUser(t())),
            1 => Just(Event::Lost),
            1 => Just(Event::Found),
            1 => Just(Event::Whole),
        ]
    }

    #[test]
    fn the_straight_way() {
        let mut m = mail(OutboxState::Held, 0, 1_010);
        assert!(!apply(&mut m, Event::Start, 1_009), "the hold is not over");
        for (event, state) in [
            (Event::Start, OutboxState::Sending),
            (Event::Dot, OutboxState::DotSent),
            (Event::Accepted, OutboxState::Accepted),
            (Event::Filed, OutboxState::Filed),
        ] {
            assert!(apply(&mut m, event, 1_010));
            assert_eq!(m.state, state);
        }
        assert_eq!(m.attempts, 1);
    }

    #[test]
    fn a_mail_without_its_files_waits_for_them_and_can_be_taken_back() {
        let mut m = mail(OutboxState::Awaiting, 0, 1_010);
        assert!(can_cancel(m.state) && due(&m, 2_000).is_none() && recover(&m).is_none());
        assert!(!apply(&mut m, Event::Start, 2_000) && !apply(&mut m, Event::Retry, 2_000), "nobody sends half of it");
        assert!(apply(&mut m, Event::Whole, 1_005));
        assert!(!apply(&mut m, Event::Start, 1_009), "the time to take it back goes on");
        assert!(apply(&mut m, Event::Start, 1_010));
    }

    #[test]
    fn login_and_certificate_faults_give_the_attempt_back() {
        let mut m = mail(OutboxState::Queued, 3, 0);
        apply(&mut m, Event::Start, 1_000);
        apply(&mut m, Event::NeedsUser("no".into()), 1_001);
        assert_eq!((m.state, m.attempts), (OutboxState::NeedsUser, 3));
        assert!(!apply(&mut m, Event::Start, 9_999), "stops until the person acts");
    }

    #[test]
    fn temporary_refusals_wait_longer_and_end_after_five_days() {
        let (mut m, mut now, mut tries) = (mail(OutboxState::Queued, 0, 0), 1_000, 0);
        while m.state != OutboxState::Refused {
            assert!(apply(&mut m, Event::Start, now));
            assert!(apply(&mut m, Event::Later("4.2.0".into()), now));
            tries += 1;
            now = m.due.max(now);
            assert!(tries < 200);
        }
        assert!(tries > 20 && now >= 1_000 + GIVE_UP_AFTER && !m.fault.is_empty());
    }

    proptest! {
        /// Whatever happens, and with a crash between any two events: without the person, a mail whose dot may be out is
        /// never sent again; nothing ends but as filed, refused, unknown or waiting for somebody.
        #[test]
        fn never_twice_unasked(events in proptest::collection::vec((event(), any::<bool>()), 1..60)) {
            let (mut m, mut now, mut dot_without_answer) = (mail(OutboxState::Queued, 0, 0), 1_000, false);
            for (e, crash) in events {
                now += 10_000;
                let before = m.clone();
                if apply(&mut m, e.clone(), now) {
                    match e {
                        Event::Start => prop_assert!(!dot_without_answer, "resent from {:?}", before.state),
                        Event::Dot => dot_without_answer = true,
                        Event::Later(_) | Event::No(_) => dot_without_answer = false,
                        _ => {}
                    }
                    prop_assert!(m.state != OutboxState::Accepted || before.state != OutboxState::Sending, "accepted without a dot");
                }
                if crash && let Some(c) = recover(&m) {
                    (m.state, m.attempts, m.due) = (c.state, c.attempts, c.due);
                    prop_assert!(recover(&m).is_none(), "recovery is done after one pass");
                }
            }
        }

        #[test]
        fn a_clock_set_back_starves_nobody(at in 0i64..2_000_000_000, now in 0i64..2_000_000_000) {
            let m = mail(OutboxState::Deferred, 1, at);
            prop_assert!(due(&m, now).is_some_and(|d| d <= now + LONGEST));
        }
    }
}
