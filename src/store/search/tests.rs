//! Tests of searching: against the reference evaluator, with mails and queries at random.

use super::*;
use crate::mail::address::Address;
use crate::mail::envelope::Envelope;
use crate::mail::envelope::MessageId;
use crate::mail::fixtures;
use crate::mail::flags::Flags;
use crate::mail::ids::{AccountName, MessageKey};
use crate::mail::mailbox::MailboxPath;
use crate::mail::query::parse;
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::UidValidity;
use crate::store::bodies::Reading;
use crate::store::{Reader, Stop, Store, bodies, messages, placements, tests::quiet};
use jiff::civil::date;
use proptest::prelude::*;

const WORDS: [&str; 14] =
    ["ann", "annex", "Café", "report", "q3", "東京都", "東", "straße", "ØRE", "हिन्दी", "ไทย", "a", "an", "plan.pdf"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn text(&mut self, most: usize) -> String {
        (0..self.below(most + 1)).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }

    fn people(&mut self, most: usize) -> Vec<Address> {
        (0..self.below(most + 1)).map(|_| Address::new(&self.text(2), "ann@example.org")).collect()
    }
}

/// One message in one mailbox, as the reference sees it.
struct Known {
    seen: EnvelopeSeen,
    body: String,
    mailbox: usize,
    message: MessageKey,
}

const BOXES: [(&str, &str, Option<Role>); 3] =
    [("home", "INBOX", Some(Role::Inbox)), ("home", "Archive", Some(Role::Archive)), ("work", "Ärger", None)];

fn build(dir: &std::path::Path) -> (Store, Vec<Known>, Vec<MailboxId>) {
    let store = Store::open(dir, quiet()).unwrap();
    let boxes = store
        .cache(|tx| {
            BOXES
                .iter()
                .map(|(account, name, role)| {
                    let id = mailboxes::ensure(tx, &AccountName::new(account), &MailboxPath::from_typed(name))?;
                    mailboxes::set_role(tx, id, *role).map(|()| id)
                })
                .collect::<Result<Vec<_>>>()
        })
        .unwrap();
    let mut dice = Dice(7);
    let mut all = Vec::new();
    for uid in 1..=90u32 {
        let mailbox = dice.below(3);
        let envelope = Envelope {
            subject: dice.text(4),
            from: dice.people(1),
            to: dice.people(2),
            cc: dice.people(1),
            message_id: MessageId::new(&format!("{uid}@x")),
            ..Envelope::default()
        };
        let words = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "Work"];
        let files: Vec<String> = (0..dice.below(3)).map(|_| dice.text(1)).collect();
        let seen = EnvelopeSeen {
            flags: Flags::from_words(words.into_iter().filter(|_| dice.below(2) == 0)),
            // Around midnight in New York, some in the same second.
            received: 1_763_700_000 + 7_200 * i64::from(uid / 3),
            size: dice.below(4) as u64 * 1_000,
            envelope: envelope.into(),
            attachments: Some(files.clone()),
            // Some lie in a second mailbox too.
            object_id: if uid % 5 == 0 { format!("o{uid}") } else { String::new() },
            ..fixtures::seen(uid)
        };
        let body = if uid % 3 == 0 { dice.text(6) } else { String::new() };
        let text = body.clone();
        let (row, here) = (seen.clone(), boxes[mailbox]);
        let message = store
            .cache(move |tx| {
                messages::record_new(tx, here, UidValidity(1), std::slice::from_ref(&row))?;
                let message = placements::by_uid(tx, here, uid)?.unwrap().message;
                if uid % 3 == 0 {
                    let reading = Reading { preview: String::new(), text, files, ..Reading::default() };
                    bodies::arrived(tx, message, "", 9, &reading)?;
                } else if uid % 3 == 1 {
                    super::super::fts::feed(tx, message, None)?;
                }
                Ok(message)
            })
            .unwrap();
        if uid % 5 == 0 && mailbox < 2 {
            let (row, there) = (seen.clone(), boxes[1 - mailbox]);
            store.cache(move |tx| messages::record_new(tx, there, UidValidity(1), &[row])).unwrap();
            all.push(Known { seen: seen.clone(), body: body.clone(), mailbox: 1 - mailbox, message });
        }
        all.push(Known { seen, body, mailbox, message });
    }
    (store, all, boxes)
}

fn expected(all: &[Known], boxes: &[MailboxId], query: &Query, within: Option<MailboxId>, zone: &TimeZone) -> Vec<MessageKey> {
    let within = within.filter(|_| !names_mailbox(query));
    let mut found: Vec<(i64, MessageKey)> = all
        .iter()
        .filter(|k| within.is_none_or(|w| w == boxes[k.mailbox]))
        .filter(|k| {
            let (account, mailbox, role) = BOXES[k.mailbox];
            let facts = Facts {
                envelope: &k.seen.envelope.envelope(),
                body: &k.body,
                files: k.seen.attachments.as_deref().unwrap_or_default(),
                attachments: u32::try_from(k.seen.attachments.iter().flatten().count()).unwrap(),
                flags: &k.seen.flags,
                received: k.seen.received,
                size: k.seen.size,
                account,
                mailbox,
                role,
            };
            query_eval::matches(query, &facts, zone)
        })
        .map(|k| (k.seen.received, k.message))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    found.into_iter().map(|(_, message)| message).collect()
}

fn term() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec());
    let field = prop::sample::select(vec!["", "from:", "to:", "cc:", "subject:", "body:", "file:"]);
    let other = prop::sample::select(vec![
        "is:unread",
        "is:starred",
        "is:answered",
        "is:draft",
        "tag:work",
        "has:attachment",
        "before:2025-11-22",
        "after:2025-11-22",
        "larger:1k",
        "smaller:2k",
        "in:archive",
        "in:ärger",
        "account:HOME",
        "on:2025-11-21",
    ]);
    let text = (field, word.clone(), word, 0..4u8).prop_map(|(field, a, b, how)| match how {
        0 => format!("{field}\"{a} {b}\""),
        1 => format!("{field}\"{a}\""),
        2 => format!("{field}{}", a.chars().take(1).collect::<String>()),
        _ => format!("{field}{a}"),
    });
    prop_oneof![3 => text, 2 => other.prop_map(str::to_owned)]
}

fn text() -> impl Strategy<Value = String> {
    term().prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(|l| l.join(" ")),
            list.prop_map(|l| format!("({})", l.join(" OR "))),
            inner.prop_map(|one| format!("-({one})")),
        ]
    })
}

#[test]
fn search_finds_exactly_what_the_reference_does() {
    let dir = tempfile::tempdir().unwrap();
    let (store, all, boxes) = build(dir.path());
    let zone = TimeZone::get("America/New_York").unwrap();
    let reader = std::cell::RefCell::new(store.reader());
    let ask = |reader: &mut Reader<Cache>, query: &Query, within, limit| {
        reader.ask(&Stop::new(), |db| search(db, query, within, &zone, limit)).unwrap()
    };
    let some = std::cell::Cell::new(0u32);
    proptest!(ProptestConfig { cases: 600, ..ProptestConfig::default() }, |(text in text(), place in 0..5usize)| {
        let query = parse(&text, date(2025, 11, 22)).query;
        let within = boxes.get(place).copied();
        let wanted = expected(&all, &boxes, &query, within, &zone);
        let found = ask(&mut reader.borrow_mut(), &query, within, 1_000);
        let keys: Vec<MessageKey> = found.rows.iter().map(|r| r.message).collect();
        prop_assert_eq!(&keys, &wanted, "{}", text);
        prop_assert!(!found.more);
        let few = ask(&mut reader.borrow_mut(), &query, within, 3);
        let keys: Vec<MessageKey> = few.rows.iter().map(|r| r.message).collect();
        prop_assert_eq!(&keys[..], &wanted[..wanted.len().min(3)]);
        prop_assert_eq!(few.more, wanted.len() > 3);
        some.set(some.get() + u32::from(!wanted.is_empty()));
    });
    assert!(some.get() > 200, "most queries find nothing: {}", some.get());
}
