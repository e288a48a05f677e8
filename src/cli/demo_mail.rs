//! demo_mail — the mailbox that `postrider demo` starts with: about 70 messages, written by us, under `assets/demo/`.
//! Owns: `messages`, `DemoMail`, whose mailbox it is. May import: mail, base.
//! Start reading at: `messages`. The files hold placeholders instead of dates, so that the newest mail is always
//! minutes old: `@{date}` (RFC 5322), `@{date N}` and `@{on N}` (N minutes ago), `@{day N}` and `@{ics N}` (N days ahead).

use crate::mail::flags::Flag;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Whose mailbox it is.
pub const NAME: &str = "Dana Roth";
/// Their address: under a name that is kept for examples (RFC 2606), as are all the others in there.
pub const ADDRESS: &str = "dana@example.org";
/// What they write under a mail.
pub const SIGNATURE: &str = "Dana Roth\nmaps and harbours";

/// One message of the demo, ready to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemoMail {
    /// The mailbox's path, with `/` between names.
    pub mailbox: &'static str,
    /// What is set on it.
    pub flags: Vec<Flag>,
    /// When it came, in seconds since 1970.
    pub received: i64,
    /// The message itself; CRLF.
    pub bytes: Vec<u8>,
}

/// All of them, oldest first, as if they had come in the weeks before `now` (seconds since 1970). Dates inside are
/// written in `zone`.
#[must_use]
pub fn messages(now: i64, zone: &TimeZone) -> Vec<DemoMail> {
    let now = Timestamp::from_second(now).unwrap_or_default().to_zoned(zone.clone());
    let mut all: Vec<DemoMail> = FILES.iter().map(|file| file.at(&now)).collect();
    all.sort_by_key(|mail| mail.received);
    all
}

/// A file of `assets/demo/`.
struct File {
    mailbox: &'static str,
    /// Minutes before now.
    age: i64,
    /// Words of [`Flag::parse`].
    flags: &'static str,
    bytes: &'static [u8],
}

impl File {
    fn at(&self, now: &Zoned) -> DemoMail {
        DemoMail {
            mailbox: self.mailbox,
            flags: self.flags.split(' ').filter_map(Flag::parse).collect(),
            received: now.timestamp().as_second() - self.age * 60,
            bytes: fill(self.bytes, self.age, now),
        }
    }
}

/// The message with its placeholders filled in and CRLF for each line end. What is no placeholder of ours stays.
fn fill(raw: &[u8], age: i64, now: &Zoned) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        if let Some((text, len)) = placeholder(rest, age, now) {
            out.extend_from_slice(text.as_bytes());
            rest = &rest[len..];
            continue;
        }
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
        rest = after;
    }
    out
}

/// What the placeholder at the start of `at` stands for, and how long it is.
fn placeholder(at: &[u8], age: i64, now: &Zoned) -> Option<(String, usize)> {
    let inner = at.strip_prefix(b"@{")?;
    let len = inner.iter().take(16).position(|b| *b == b'}')?;
    let words = std::str::from_utf8(&inner[..len]).ok()?;
    let (word, number) = match words.split_once(' ') {
        Some((word, number)) => (word, number.parse::<i64>().ok()?),
        None => (words, age),
    };
    let then = match word {
        "date" | "on" => now.checked_sub(number.minutes()),
        "day" | "ics" => now.checked_add(number.days()),
        _ => return None,
    }
    .ok()?;
    let text = match word {
        "date" => then.strftime("%a, %d %b %Y %H:%M:%S %z"),
        "on" => then.strftime("%a %-d %b %Y, %H:%M"),
        "day" => then.strftime("%A, %-d %B"),
        _ => then.strftime("%Y%m%d"),
    };
    Some((text.to_string(), len + 3))
}

macro_rules! files {
    ($(($mailbox:literal, $age:literal, $flags:literal, $file:literal),)*) => {
        &[$(File {
            mailbox: $mailbox,
            age: $age,
            flags: $flags,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/", $file, ".eml")),
        }),*]
    };
}

/// Mailbox, age in minutes, flags, file. Inside a mailbox the newest first, as it will be seen.
const FILES: &[File] = files![
    ("Inbox", 3, "", "inbox/welcome"),
    ("Inbox", 22, "", "inbox/code"),
    ("Inbox", 38, "", "inbox/guide-4"),
    ("Inbox", 64, "", "inbox/tokyo-3"),
    ("Inbox", 150, "", "inbox/choir-7"),
    ("Inbox", 233, "", "inbox/emoji"),
    ("Inbox", 290, "", "inbox/patch-thanks"),
    ("Inbox", 330, "", "inbox/invite"),
    ("Inbox", 410, "seen flagged", "inbox/tokyo-1"),
    ("Inbox", 520, "", "inbox/german"),
    ("Inbox", 560, "seen flagged", "inbox/mum"),
    ("Inbox", 610, "", "inbox/parcel"),
    ("Inbox", 700, "", "inbox/russian"),
    ("Inbox", 820, "", "inbox/forge-2"),
    ("Inbox", 890, "seen", "inbox/flowed"),
    ("Inbox", 950, "", "inbox/newsletter"),
    ("Inbox", 1010, "seen", "inbox/forge-1"),
    ("Inbox", 1100, "", "inbox/phishing"),
    ("Inbox", 1205, "seen", "inbox/chinese"),
    ("Inbox", 1290, "", "inbox/digest"),
    ("Inbox", 1330, "seen", "inbox/train"),
    ("Inbox", 1425, "seen", "inbox/payroll"),
    ("Inbox", 1480, "seen", "inbox/guide-2"),
    ("Inbox", 1580, "seen", "inbox/bounce"),
    ("Inbox", 1640, "seen flagged", "inbox/photos"),
    ("Inbox", 1710, "seen", "inbox/guide-1"),
    ("Inbox", 1820, "seen", "inbox/hebrew"),
    ("Inbox", 2050, "seen", "inbox/forwarded"),
    ("Inbox", 2210, "seen", "inbox/french"),
    ("Inbox", 2600, "seen", "inbox/long-subject"),
    ("Inbox", 2900, "seen answered", "inbox/choir-5"),
    ("Inbox", 2980, "seen", "inbox/choir-4"),
    ("Inbox", 3090, "seen", "inbox/choir-3"),
    ("Inbox", 3130, "seen", "inbox/choir-2"),
    ("Inbox", 3200, "seen", "inbox/choir-1"),
    ("Inbox", 3900, "seen", "inbox/names"),
    ("Inbox", 4300, "seen", "inbox/library"),
    ("Inbox", 4700, "seen", "inbox/arabic"),
    ("Inbox", 5200, "seen", "inbox/no-subject"),
    ("Inbox", 6200, "seen", "inbox/vcard"),
    ("Inbox", 7300, "seen", "inbox/logs"),
    ("Drafts", 860, "seen draft", "drafts/draft-tom"),
    ("Sent", 370, "seen", "sent/tokyo-2"),
    ("Sent", 480, "seen", "sent/sent-roof"),
    ("Sent", 540, "seen", "sent/sent-mum"),
    ("Sent", 1390, "seen answered", "sent/guide-3"),
    ("Sent", 2150, "seen", "sent/sent-french"),
    ("Sent", 2870, "seen", "sent/choir-6"),
    ("Archive", 9100, "seen", "archive/korean"),
    ("Archive", 12300, "seen", "archive/greek"),
    ("Archive", 15800, "seen", "archive/polish"),
    ("Archive", 22000, "seen", "archive/hindi-thai"),
    ("Archive", 26000, "seen", "archive/arch-receipt"),
    ("Archive", 30500, "seen", "archive/arch-vn"),
    ("Archive", 41000, "seen answered", "archive/arch-hello"),
    ("Projects/Lighthouse", 8400, "seen answered", "projects-lighthouse/light-3"),
    ("Projects/Lighthouse", 8650, "seen", "projects-lighthouse/light-2"),
    ("Projects/Lighthouse", 8800, "seen flagged", "projects-lighthouse/light-1"),
    ("Projects/Lighthouse", 11800, "seen", "projects-lighthouse/light-budget"),
    ("Lists/tidewatch-dev", 1900, "seen", "lists-tidewatch-dev/patch-review"),
    ("Lists/tidewatch-dev", 2397, "", "lists-tidewatch-dev/patch-3"),
    ("Lists/tidewatch-dev", 2398, "seen", "lists-tidewatch-dev/patch-2"),
    ("Lists/tidewatch-dev", 2399, "seen", "lists-tidewatch-dev/patch-1"),
    ("Lists/tidewatch-dev", 2400, "seen", "lists-tidewatch-dev/patch-0"),
    ("Junk", 770, "", "junk/junk-1"),
    ("Junk", 1500, "", "junk/junk-2"),
    ("Junk", 5900, "seen", "junk/junk-3"),
    ("Trash", 3300, "seen", "trash/trash-1"),
    ("Trash", 6900, "seen", "trash/trash-2"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::MessageId;
    use crate::mail::{parse, render};
    use std::collections::{HashMap, HashSet};

    const NOW: i64 = 1_795_250_000;

    fn all() -> Vec<DemoMail> {
        messages(NOW, &TimeZone::UTC)
    }

    #[test]
    fn each_is_a_whole_mail_of_the_last_weeks() {
        let mails = all();
        assert!(mails.len() >= 55);
        let mut ids = HashSet::new();
        for mail in &mails {
            let message = parse::message(mail.bytes.clone());
            let env = &message.envelope;
            let name = env.message_id.as_ref().expect("a Message-ID").as_str();
            assert!(ids.insert(name.to_owned()), "{name} is there twice");
            assert_eq!(env.date, Some(mail.received), "{name}");
            assert!(mail.received < NOW && mail.received > NOW - 60 * 86_400, "{name}");
            assert_eq!(env.from.len(), 1, "{name}");
            let words = String::from_utf8_lossy(&mail.bytes);
            assert!(!words.contains("@{"), "{name}: a placeholder is left over");
            assert!(!words.replace("\r\n", "").contains(['\r', '\n']), "{name}: a bare CR or LF");
        }
    }

    #[test]
    fn what_they_say_can_be_read_in_every_charset() {
        let text = |subject: &str, word: &str| {
            let found = all().into_iter().find(|m| parse::envelope(&m.bytes).subject == subject).expect(subject);
            let message = parse::message(found.bytes);
            let shown = render::words(&message, 4_000);
            assert!(shown.contains(word), "{subject}: {shown}");
        };
        text("来週の打ち合わせについて", "お世話になっております");
        text("Привет из Карелии", "журнал, который ведут с 1894 года");
        text("关于海图翻译的几个问题", "统一译为“泊位”");
        text("Les épreuves sont prêtes", "théière");
        text("Ihr Angebot: Dach, Südseite (2.480,00 €)", "„Nordsee“");
        text("התמונות מהמגדלור", "הסיור");
        text("شكراً على الخريطة", "الميناء");
        text("등대 엽서 잘 받았습니다", "부산");
        text("Το καφενείο στο λιμάνι", "παππού");
        text("Zaproszenie na wernisaż", "pierogi");
        text("Kassenstand und Förderantrag", "3.412,60 €");
    }

    #[test]
    fn threads_form_and_every_answer_is_younger_than_its_question() {
        let mut came: HashMap<MessageId, i64> = HashMap::new();
        let mut answers = 0;
        for mail in all() {
            let env = parse::envelope(&mail.bytes);
            for parent in env.ancestors() {
                assert!(came[parent] < mail.received, "{} follows {parent}", env.subject);
            }
            answers += usize::from(!env.ancestors().is_empty());
            came.insert(env.message_id.expect("a Message-ID"), mail.received);
        }
        assert!(answers >= 15, "{answers}");
    }

    #[test]
    fn the_mailboxes_are_those_of_a_person() {
        let mails = all();
        let count = |name: &str| mails.iter().filter(|m| m.mailbox == name).count();
        assert!(count("Inbox") > 30);
        for name in ["Sent", "Drafts", "Archive", "Junk", "Trash", "Projects/Lighthouse", "Lists/tidewatch-dev"] {
            assert!(count(name) > 0, "{name}");
        }
        assert!(mails.iter().any(|m| m.mailbox == "Inbox" && m.flags.is_empty()), "something is unread");
        for file in FILES {
            assert!(file.flags.split(' ').all(|word| word.is_empty() || Flag::parse(word).is_some()), "{}", file.flags);
        }
    }

    #[test]
    fn placeholders_become_dates() {
        let now = Timestamp::from_second(NOW).expect("a time").to_zoned(TimeZone::UTC);
        let filled = fill(b"@{on 1440}\n@{day 2}|@{ics 2}T14|@{x}|@{", 5, &now);
        assert_eq!(String::from_utf8_lossy(&filled), "Fri 20 Nov 2026, 08:33\r\nMonday, 23 November|20261123T14|@{x}|@{");
    }
}
