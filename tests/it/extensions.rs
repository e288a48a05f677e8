//! extensions — each extension against Dovecot, and the way without it: `without` masks what the server says.
//! Start reading at: any test; the suite of `store.rs` runs once more without each of them. Where each extension is tested,
//! and the way without it (`table.rs` holds this; what Debian's Dovecot lacks has other real servers in `rare.rs`, and is scripted in `src/net/imap`):
//!
//! * ACL: shared what_others_share_is_read_as_they_let; shared without_rights_and_quotas_the_server_refuses
//! * AUTH: auth each_way_alone_and_a_wrong_password; auth nothing_weaker_than_allowed
//! * AUTH=EXTERNAL: auth a_certificate_in_place_of_a_password; src/net/imap/tests_auth.rs t15_never_weaker
//! * AUTH=OAUTHBEARER: auth tokens_for_reading_and_sending; src/net/imap/tests_auth.rs t15_never_weaker
//! * AUTH=XOAUTH2: auth tokens_for_reading_and_sending; src/net/imap/tests_auth.rs t15_never_weaker
//! * BINARY: extensions parts_come_alone; parts without_binary_the_file_is_the_same
//! * COMPRESS=DEFLATE: extensions compression_saves_octets; extensions compression_saves_octets
//! * CONDSTORE: rounds news_flags_and_expunges_cost_what_changed; rounds news_flags_and_expunges_cost_what_changed
//! * ENABLE: extras nothing_is_enabled_unasked; extras nothing_is_enabled_unasked
//! * ESEARCH: reach words_are_found_with_and_without_esearch; extensions the_suite_without_each_extension
//! * ID: extras the_server_is_told_who_we_are; extras the_server_is_told_who_we_are
//! * IDLE: notify without_notify_the_open_mailbox_is_live; watch where_nothing_is_told_it_is_asked_for
//! * IMAP4rev2: rare the_second_revision; rare the_second_revision
//! * LIST-EXTENDED: extensions one_command_lists_all; extensions one_command_lists_all
//! * LIST-STATUS: extensions one_command_lists_all; extensions one_command_lists_all
//! * LITERAL+: extras literals_wait_for_no_leave; extras literals_wait_for_no_leave
//! * LITERAL-: rare small_literals_wait_for_no_leave; rare small_literals_wait_for_no_leave
//! * MOVE: store dovecot_over_tls; extensions the_suite_without_each_extension
//! * NAMESPACE: shared what_others_share_is_read_as_they_let; shared without_namespaces_all_is_one_tree
//! * NOTIFY: notify every_mailbox_is_live_on_one_connection; notify without_notify_the_open_mailbox_is_live
//! * OBJECTID: rare objects_keep_their_names; rare objects_keep_their_names
//! * PREVIEW: extras previews_come_without_bodies; extras previews_come_without_bodies
//! * QRESYNC: extensions qresync_reopens_in_one_turn; extensions qresync_reopens_in_one_turn
//! * QUOTA: limits little_room_is_told_once_and_none_is_explained; shared without_rights_and_quotas_the_server_refuses
//! * SASL-IR: auth a_first_answer_goes_with_the_command; auth a_first_answer_goes_with_the_command
//! * SAVEDATE: extras mail_is_found_by_when_it_came_into_its_mailbox; extras mail_is_found_by_when_it_came_into_its_mailbox
//! * SEARCHRES: reach a_message_id_is_found_in_one_turn; details rows_say_before_the_text_what_they_say_after_it
//! * SORT: reach hits_come_newest_first; reach hits_come_newest_first
//! * SPECIAL-USE: extensions one_command_lists_all; extensions one_command_lists_all
//! * STATUS=SIZE: extensions one_command_lists_all; extensions one_command_lists_all
//! * THREAD: reach a_conversation_is_found_by_its_ids; reach a_conversation_is_found_by_its_ids
//! * UIDPLUS: store dovecot_over_tls; extensions the_suite_without_each_extension
//! * UNSELECT: extras to_leave_expunges_nothing; extras to_leave_expunges_nothing
//! * UTF8=ACCEPT: rare headers_and_words_in_utf8; rare headers_and_words_in_utf8
//! * X-GM-EXT-1: tests/vectors/gmail.rs one_message_is_one_wherever_it_shows; src/net/imap/tests_extras.rs without_utf8_names_are_as_ever

use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{At, PASSWORD, host, user};
use crate::{Strings, imap_without};
use postrider::base::gate::{Permit, Reason};
use postrider::base::secret::Secret;
use postrider::config::AuthPolicy;
use postrider::mail::body::PartPath;
use postrider::mail::flags::{Flag, FlagDelta, Flags};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::section::Section;
use postrider::mail::server::Resync;
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::error::Result;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Bodies, Endpoint, Excerpt, Login, MailStore, PartGot, TlsMode};
use std::time::Duration;

/// A connection of `user` that is to do without.
pub fn open(user: &str, without: &[&str]) -> ImapStore {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    imap_without(&endpoint, user, PASSWORD, &Strings::new(), without).unwrap()
}

pub fn put(store: &mut dyn MailStore, to: &MailboxPath, text: &str) {
    store.append(to, &Flags::new(), 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
}

pub fn fill(store: &mut dyn MailStore, count: u32) {
    for n in 0..count {
        put(store, &MailboxPath::inbox(), &format!("Subject: {n}\r\nMessage-ID: <{n}@x.test>\r\n\r\ntext {n}\r\n"));
    }
}

fn set(text: &str) -> UidSet {
    UidSet::parse(text, 0).unwrap()
}

/// Every extension masked alone: all that a mail store does is done without it.
#[test]
fn the_suite_without_each_extension() {
    for word in ["QRESYNC", "LIST-EXTENDED", "ESEARCH", "MOVE", "UIDPLUS", "SASL-IR", "NAMESPACE", "UNSELECT", "COMPRESS=DEFLATE"]
    {
        let user = user();
        let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
        crate::store::suite(&|s| Box::new(imap_without(&endpoint, &user, PASSWORD, s, &[word]).unwrap()));
    }
}

/// QRESYNC (RFC 7162): one turn tells what went and what changed; masked, nothing is told and CONDSTORE does it.
#[test]
fn qresync_reopens_in_one_turn() {
    let user = user();
    let inbox = MailboxPath::inbox();
    let mut mine = open(&user, &[]);
    let mut plain = open(&user, &["QRESYNC"]);
    assert!(mine.caps().qresync && !plain.caps().qresync && plain.caps().condstore);
    fill(&mut mine, 12);
    let before = mine.select(&inbox, false, None).unwrap();
    assert!(!before.resynced && before.vanished.is_empty());
    let known = Resync {
        uidvalidity: before.uidvalidity,
        modseq: before.highestmodseq,
        known: UidSet::range(1, 12),
        ..Resync::default()
    };

    plain.select(&inbox, false, None).unwrap();
    plain.store_flags(&set("3:5,9"), &FlagDelta::set(Flag::Deleted)).unwrap();
    plain.uid_expunge(&set("3:5,9")).unwrap();
    plain.store_flags(&set("1,12"), &FlagDelta::set(Flag::Flagged)).unwrap();
    fill(&mut plain, 2);

    let turns = mine.traffic().round_trips;
    let now = mine.select(&inbox, false, Some(&known)).unwrap();
    assert_eq!(mine.traffic().round_trips, turns + 1);
    assert!(now.resynced);
    assert_eq!(now.vanished, set("3:5,9"));
    let mut changed: Vec<_> = now.changed.iter().map(|r| (r.uid.get(), r.flags.wire())).collect();
    changed.sort();
    assert_eq!(changed, [(1, "\\Flagged".to_owned()), (12, "\\Flagged".to_owned())]);
    assert_eq!((now.exists, now.uidnext, mine.exists()), (10, 15, 10));

    // What is new comes in the same turn; also that there is nothing new.
    let turns = mine.traffic().round_trips;
    let came = mine.select(&inbox, false, Some(&Resync { ahead: UidSet::range(13, 300), ..known.clone() })).unwrap();
    let rows = came.ahead.unwrap();
    assert_eq!(rows.iter().map(|r| r.uid.get()).collect::<Vec<_>>(), [13, 14]);
    assert!(rows.iter().all(|r| r.received > 0 && r.size > 0 && r.envelope.kin().own.is_some()));
    let none = mine.select(&inbox, false, Some(&Resync { ahead: UidSet::range(15, 300), ..known.clone() })).unwrap();
    assert_eq!((none.ahead, none.changed.len(), mine.exists()), (Some(Vec::new()), 2, 10));
    assert_eq!(mine.traffic().round_trips, turns + 2);
    // A mailbox that cannot be opened says so, and the connection goes on.
    let gone = MailboxPath::from_typed("gone");
    let refused = mine.select(&gone, false, Some(&Resync { ahead: UidSet::range(13, 300), ..known.clone() }));
    assert!(refused.unwrap_err().connection_lives());

    // A mailbox that was numbered anew is not resynced, and nothing comes ahead.
    let validity = postrider::mail::uid::UidValidity(1);
    let other = Resync { uidvalidity: validity, ahead: UidSet::range(13, 300), ..known.clone() };
    let anew = mine.select(&inbox, false, Some(&other)).unwrap();
    assert!(!anew.resynced && anew.vanished.is_empty() && anew.changed.is_empty() && anew.ahead.is_none());

    // News of an expunge comes as VANISHED now, and is counted.
    plain.store_flags(&set("1"), &FlagDelta::set(Flag::Deleted)).unwrap();
    plain.uid_expunge(&set("1")).unwrap();
    mine.noop().unwrap();
    assert!(mine.changed() && mine.exists() == 9);
    // Our own is no news.
    mine.store_flags(&set("2"), &FlagDelta::set(Flag::Deleted)).unwrap();
    mine.uid_expunge(&set("2")).unwrap();
    assert!(!mine.changed() && mine.exists() == 8);

    let masked = plain.select(&inbox, false, Some(&known)).unwrap();
    assert!(!masked.resynced && masked.highestmodseq > before.highestmodseq);
    let mut flags = Vec::new();
    plain
        .fetch_flags(&set("1:12"), Some(known.modseq), &mut |rows| {
            flags.extend(rows);
            Ok(())
        })
        .unwrap();
    assert_eq!(flags.iter().map(|r| r.uid.get()).collect::<Vec<_>>(), [12]);
}

/// LIST-EXTENDED, SPECIAL-USE, LIST-STATUS: everything in one turn; LIST, LSUB and STATUS do the same.
#[test]
fn one_command_lists_all() {
    let user = user();
    let mut whole = open(&user, &[]);
    let (a, b) = (MailboxPath::from_typed("A"), MailboxPath::from_typed("A/b"));
    whole.create(&a).unwrap();
    whole.create(&b).unwrap();
    whole.subscribe(&b, true).unwrap();
    put(&mut whole, &b, "Subject: x\r\n\r\nx\r\n");
    let turns = whole.traffic().round_trips;
    let listed = whole.list().unwrap();
    assert_eq!(whole.traffic().round_trips, turns + 1);
    assert!(listed.iter().all(|l| l.status.is_some()));
    let status = listed.iter().find(|l| l.path == b).unwrap().status.clone().unwrap();
    assert_eq!((status.messages, status.unseen), (1, 1));
    assert!(status.highestmodseq.0 > 0 && status.size.is_none(), "{status:?}: its size would be a look at each message");
    assert!(whole.size(&b).unwrap().is_some_and(|n| n > 10));
    for without in [&["LIST-EXTENDED"][..], &["LIST-STATUS"], &["SPECIAL-USE"], &["STATUS=SIZE"]] {
        let mut less = open(&user, without);
        let mut again = less.list().unwrap();
        for (l, full) in again.iter_mut().zip(&listed) {
            let counted = less.status(&l.path).unwrap();
            assert_eq!(Some(counted), full.status);
            assert_eq!(less.size(&l.path).unwrap().is_some(), *without != ["STATUS=SIZE"]);
            l.status.clone_from(&full.status);
            if *without != ["SPECIAL-USE"] {
                // Dovecot says roles in a plain LIST, too.
                assert_eq!(l.role, full.role);
            }
            l.role = full.role;
        }
        assert_eq!(again, listed, "{without:?}");
    }
}

/// COMPRESS (RFC 4978): the same for fewer octets; masked, all goes as it is.
#[test]
fn compression_saves_octets() {
    let user = user();
    let mut plain = open(&user, &["COMPRESS=DEFLATE"]);
    fill(&mut plain, 100);
    let mut cost = Vec::new();
    for without in [&["COMPRESS=DEFLATE"][..], &[]] {
        let mut store = open(&user, without);
        assert_eq!(store.compressed(), without.is_empty());
        store.select(&MailboxPath::inbox(), true, None).unwrap();
        let before = store.traffic().received;
        let mut rows = 0;
        store
            .fetch_envelopes(&UidSet::range(1, 100), &mut |part| {
                rows += part.len();
                Ok(None)
            })
            .unwrap();
        assert_eq!(rows, 100);
        cost.push(store.traffic().received - before);
    }
    assert!(cost[1] * 5 < cost[0], "{cost:?}");
}

/// Who is about to read much does without it over a quick line, and has it over a far one.
#[test]
fn compression_is_for_lines_that_gain_by_it() {
    let (user, strings) = (user(), Strings::new());
    drop(open(&user, &[]));
    let secret = Secret::new(PASSWORD.to_owned());
    let to = |endpoint: &Endpoint| {
        let login = Login { user: &user, secret: &secret, without: &[], auth: &AuthPolicy::default() };
        let permit = Permit::ask(Reason::MailServer).unwrap();
        ImapStore::open_to_read_much(permit, endpoint, &login, &strings.waker, &strings.cancel).unwrap().compressed()
    };
    let near = host().imap_at(At::Good, TlsMode::Implicit);
    // A turn is short at least once, however busy the machine is.
    assert!((0..50).any(|_| !to(&near)));
    for latency in [10, 100].map(Duration::from_millis) {
        let proxy = Proxy::start(host().imaps, Line { latency, ..Line::default() });
        assert!(to(&Endpoint { port: proxy.port, ..near.clone() }), "{latency:?}");
    }
}

/// Mailboxes are renamed with what is below them, and deleted.
#[test]
fn mailboxes_come_and_go() {
    let mut store = open(&user(), &[]);
    let path = MailboxPath::from_typed;
    let names = |s: &mut ImapStore| -> Vec<String> {
        s.list().unwrap().iter().map(|l| l.path.decoded()).filter(|n| n.contains("ü")).collect()
    };
    for name in ["ü", "ü/x", "ü/x/y"] {
        store.create(&path(name)).unwrap();
    }
    store.rename(&path("ü"), &path("zü")).unwrap();
    assert_eq!(names(&mut store), ["zü", "zü/x", "zü/x/y"]);
    store.select(&path("zü/x/y"), true, None).unwrap();
    store.unselect().unwrap();
    store.delete(&path("zü/x/y")).unwrap();
    assert_eq!(names(&mut store), ["zü", "zü/x"]);
    assert!(store.delete(&path("zü/x/y")).is_err() && store.rename(&path("nö"), &path("nö2")).is_err());
}

const PARTS: &str = "Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
    Content-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: application/pdf; name=x.pdf\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gd29ybGQ=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: inner\r\n\r\ninside\r\n--b--\r\n";

fn part(
    store: &mut dyn MailStore,
    section: &Section,
    range: Option<std::ops::Range<u64>>,
    decoded: bool,
) -> Option<(String, bool)> {
    let mut text = Vec::new();
    let got: Option<PartGot> = store.fetch_part(Uid::new(1).unwrap(), &Excerpt { section, range, decoded }, &mut text).unwrap();
    got.map(|got| {
        assert_eq!(got.octets, text.len() as u64);
        (String::from_utf8(text).unwrap(), got.decoded)
    })
}

/// Parts, pieces of parts, and parts without their encoding; BINARY masked, they come as they are.
#[test]
fn parts_come_alone() {
    let user = user();
    let path = |t: &str| PartPath::parse(t).unwrap();
    put(&mut open(&user, &[]), &MailboxPath::inbox(), PARTS);
    let dir = tempfile::tempdir().unwrap();
    let strings = Strings::new();
    let mut local = postrider::net::local::LocalStore::open(dir.path(), &strings.waker, &strings.cancel).unwrap();
    put(&mut local, &MailboxPath::inbox(), PARTS);
    for (mut store, binary) in [
        (Box::new(open(&user, &[])) as Box<dyn MailStore>, true),
        (Box::new(open(&user, &["BINARY"])), false),
        (Box::new(local), true),
    ] {
        let s = &mut *store;
        s.select(&MailboxPath::inbox(), true, None).unwrap();
        assert_eq!(s.caps().binary, binary);
        assert_eq!(part(s, &Section::Part(path("1")), None, false).unwrap().0, "Hello");
        assert_eq!(part(s, &Section::Part(path("2")), None, false).unwrap(), ("SGVsbG8gd29ybGQ=".into(), false));
        assert_eq!(part(s, &Section::Part(path("2")), Some(4..8), false).unwrap(), ("bG8g".into(), false));
        let whole = part(s, &Section::Part(path("2")), None, true).unwrap();
        assert_eq!(whole, if binary { ("Hello world".into(), true) } else { ("SGVsbG8gd29ybGQ=".into(), false) });
        let piece = part(s, &Section::Part(path("2")), Some(6..11), true).unwrap();
        assert_eq!(piece, if binary { ("world".into(), true) } else { ("8gd29".into(), false) });
        assert_eq!(part(s, &Section::HeaderOf(path("3")), None, false).unwrap().0, "Subject: inner\r\n\r\n");
        assert!(part(s, &Section::Mime(path("2")), None, false).unwrap().0.contains("x.pdf"));
        assert_eq!(part(s, &Section::Header, Some(0..8), false).unwrap().0, "Subject:");
        assert!(part(s, &Section::Part(path("")), None, false).unwrap().0.starts_with("--b\r\n"));
        assert_eq!(part(s, &Section::Whole, None, false).unwrap().0, PARTS);
        // Beyond its end there is nothing, but the part is there.
        assert_eq!(part(s, &Section::Part(path("1")), Some(100..200), false).map(|p| p.0).unwrap_or_default(), "");
        assert_eq!(part(s, &Section::Part(path("1")), Some(2..2), false).unwrap().0, "");
    }
}

#[derive(Default)]
struct Kept {
    all: Vec<(u32, String)>,
    now: Option<(u32, Vec<u8>)>,
    most: Option<usize>,
}

impl Bodies for Kept {
    fn begin(&mut self, uid: Uid, _: u64) -> Result<()> {
        self.now = Some((uid.get(), Vec::new()));
        Ok(())
    }
    fn piece(&mut self, bytes: &[u8]) -> Result<()> {
        self.now.as_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }
    fn whole(&mut self) -> Result<()> {
        let (uid, text) = self.now.take().unwrap();
        self.all.push((uid, String::from_utf8(text).unwrap()));
        Ok(())
    }
    fn go_on(&mut self) -> bool {
        self.most.is_none_or(|most| self.all.len() < most)
    }
}

/// Many texts come with two commands under way, in few turns; gone ones are left out.
#[test]
fn many_texts_come_in_few_turns() {
    let user = user();
    let mut store = open(&user, &[]);
    fill(&mut store, 230);
    let long = "x".repeat(100_000);
    put(&mut store, &MailboxPath::inbox(), &format!("Subject: long\r\n\r\n{long}\r\n"));
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    store.store_flags(&set("7"), &FlagDelta::set(Flag::Deleted)).unwrap();
    store.uid_expunge(&set("7")).unwrap();
    let turns = store.traffic().round_trips;
    let mut kept = Kept::default();
    store.fetch_bodies(&UidSet::range(1, 500), &mut kept).unwrap();
    assert!(store.traffic().round_trips - turns <= 2, "{}", store.traffic().round_trips - turns);
    assert_eq!(kept.all.len(), 230);
    assert!(kept.all.iter().all(|(uid, text)| *uid == 231 || text.ends_with(&format!("text {}\r\n", uid - 1))));
    assert!(kept.all.iter().any(|(uid, text)| *uid == 231 && text.contains(&long)));
    // No more is asked for than is wanted.
    let mut few = Kept { most: Some(1), ..Kept::default() };
    store.fetch_bodies(&UidSet::range(1, 500), &mut few).unwrap();
    assert!(few.all.len() <= 200, "{}", few.all.len());
    assert!(!store.changed());
    assert_eq!(store.uids(1).unwrap().len(), 230);
}

/// Dovecot's decompressor keeps the end of some long literals to itself until more comes: mails of these sizes hung.
#[test]
fn a_compressed_append_of_any_size_ends() {
    let strings = Strings::new();
    let mut store = crate::imap(&user(), &strings);
    for size in [1_000, 299_000, 300_000, 300_001, 310_000] {
        let text = crate::parts::mail(&crate::parts::file(size));
        let flags = Flags::default();
        store.append(&MailboxPath::inbox(), &flags, 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
    }
}
