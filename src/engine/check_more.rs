//! check_more — what `doctor` looks at beyond whether an account works: certificates and their end, extensions, room, rights.
//! Owns: `certificates`, `served`. May import: config, net, base, and the engine's own.
//! Start reading at: `served`. Nothing here fails an account: what is odd is a warning.

use super::check::{Step, Verdict};
use super::connect::permit;
use crate::base::cancel::Cancel;
use crate::base::gate::Reason;
use crate::base::safetext::SafeText;
use crate::config::choice::EXTENSIONS;
use crate::mail::mailbox::MailboxPath;
use crate::net::imap::ImapStore;
use crate::net::probe::{self, Before};
use crate::net::session::{Endpoint, MailStore, TlsMode};
use jiff::Timestamp;
use std::time::Instant;

/// A certificate that ends within so many seconds is worth a word.
const SOON: i64 = 14 * 86_400;
/// So full is nearly full, in percent.
const NEARLY: u64 = 90;

fn step(name: &'static str, verdict: Verdict, what: &str, begin: Instant) -> Step {
    Step { name, verdict, what: SafeText::line_max(what, 500), fault: None, seconds: begin.elapsed().as_secs_f64() }
}

/// Octets in the greatest unit in which ten of them are there, rounded up: a small quota is not "0 of 0".
fn room(octets: u64) -> String {
    const UNITS: [(u32, &str); 2] = [(30, "GiB"), (20, "MiB")];
    let (shift, unit) = UNITS.into_iter().find(|(shift, _)| octets >> shift >= 10).unwrap_or((10, "KiB"));
    format!("{} {unit}", octets.div_ceil(1 << shift))
}

/// What the server shows when it is asked for TLS: version, chain, and until when the certificate holds at `now`.
pub(super) fn certificates(endpoint: &Endpoint, before: Before, now: i64, cancel: &Cancel, tell: &mut dyn FnMut(Step)) {
    if endpoint.tls == TlsMode::None {
        return;
    }
    let (version, own, chain) = match before {
        Before::Imap => ("tls", "certificate", "chain"),
        Before::Smtp => ("submission tls", "submission certificate", "submission chain"),
    };
    let begin = Instant::now();
    let Ok(permit) = permit(Reason::MailServer) else { return };
    let shown = match probe::look(permit, endpoint, before, cancel) {
        Ok(shown) => shown,
        // The steps of the connection itself say what is wrong; this one was to add to them.
        Err(error) => return tell(step(version, Verdict::Warn, &format!("not looked at: {error}"), begin)),
    };
    let old = !matches!(shown.version.as_str(), "TLSv1.2" | "TLSv1.3");
    let verdict = if old { Verdict::Warn } else { Verdict::Ok };
    tell(step(version, verdict, &format!("{} with {}", shown.version, shown.cipher), begin));
    if let Some(first) = shown.chain.first() {
        let days = (first.until - now).div_euclid(86_400);
        let end = Timestamp::from_second(first.until).map_or_else(|_| "never".to_owned(), |t| t.strftime("%Y-%m-%d").to_string());
        let left = match first.until - now {
            left if left < 0 => "it has ended".to_owned(),
            _ => format!("{days} days left"),
        };
        let verdict = if first.until - now < SOON { Verdict::Warn } else { Verdict::Ok };
        let names = if first.names.is_empty() { "no host".to_owned() } else { first.names.join(", ") };
        tell(step(own, verdict, &format!("for {names}, until {end}, {left}; sha256:{}", first.fingerprint), begin));
    }
    let line: Vec<String> = shown.chain.iter().map(|c| format!("{} signed by {}", c.subject, c.issuer)).collect();
    tell(step(chain, Verdict::Ok, &format!("{} sent: {}", shown.chain.len(), line.join("; ")), begin));
}

/// What the server has for us: extensions that are used, left out, and lacking; room; rights.
pub(super) fn served(store: &mut ImapStore, without: &[String], tell: &mut dyn FnMut(Step)) {
    let begin = Instant::now();
    let has = |word: &str| store.words().iter().any(|w| w == word);
    let (used, rest): (Vec<&str>, Vec<&str>) = EXTENSIONS.into_iter().partition(|e| has(e) && !without.iter().any(|w| w == e));
    let lacking: Vec<&str> = rest.into_iter().filter(|e| !without.iter().any(|w| w == e)).collect();
    let list = |all: &[&str]| if all.is_empty() { "none".to_owned() } else { all.join(" ") };
    tell(step("extensions", Verdict::Ok, &format!("used if of use: {}", list(&used)), begin));
    if !without.is_empty() {
        tell(step("extensions", Verdict::Ok, &format!("left out by `without`: {}", without.join(" ")), begin));
    }
    tell(step("extensions", Verdict::Ok, &format!("not there: {}", list(&lacking)), begin));
    let inbox = MailboxPath::inbox();
    let begin = Instant::now();
    match store.size(&inbox) {
        Ok(Some(octets)) => tell(step("size", Verdict::Ok, &format!("{} in the inbox", room(octets)), begin)),
        Ok(None) => {}
        Err(error) => tell(step("size", Verdict::Warn, &error.to_string(), begin)),
    }
    if store.words().iter().any(|w| w == "QUOTA" || w.starts_with("QUOTA=")) {
        let begin = Instant::now();
        match store.quota(&inbox) {
            Ok(roots) => {
                for root in &roots {
                    if let Some((used, allowed)) = root.storage {
                        let full = used.saturating_mul(100) / allowed.max(1);
                        let verdict = if full >= NEARLY { Verdict::Warn } else { Verdict::Ok };
                        let what = format!("{} of {} used, {full} %", room(used), room(allowed));
                        tell(step("quota", verdict, &what, begin));
                    }
                    if let Some((there, allowed)) = root.messages {
                        tell(step("quota", Verdict::Ok, &format!("{there} of {allowed} messages"), begin));
                    }
                }
                if roots.is_empty() {
                    tell(step("quota", Verdict::Ok, "the inbox has no limit", begin));
                }
            }
            Err(error) => tell(step("quota", Verdict::Warn, &error.to_string(), begin)),
        }
    }
    if store.words().iter().any(|w| w == "ACL") {
        let begin = Instant::now();
        match store.rights(std::slice::from_ref(&inbox)).map(|mut told| told.pop()) {
            Ok(Some(Ok(rights))) => tell(step("rights", Verdict::Ok, &format!("in the inbox: {}", rights.letters()), begin)),
            // Of one mailbox one answer.
            Ok(None) => {}
            Ok(Some(Err(error))) | Err(error) => tell(step("rights", Verdict::Warn, &error.to_string(), begin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_in_a_unit_that_says_something() {
        assert_eq!([room(0), room(1), room(93_000), room(100 << 10)], ["0 KiB", "1 KiB", "91 KiB", "100 KiB"]);
        assert_eq!([room(1 << 30), room(9 << 20), room(50 << 30)], ["1024 MiB", "9216 KiB", "50 GiB"]);
    }
}
