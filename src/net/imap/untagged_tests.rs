//! The tests of `untagged.rs`: answers as servers give them, and numbers that lie.

use super::*;
use crate::mail::flags::Flag;

#[test]
fn lists_of_many_servers() {
    let one = |line: &str| match read(line.as_bytes()) {
        Untagged::List(l, _) => l,
        other => unreachable!("{other:?}"),
    };
    let l = one("* LIST (\\HasNoChildren \\sent) \".\" INBOX.Sent");
    assert_eq!((l.role, l.delimiter, l.selectable), (Some(Role::Sent), Some('.'), true));
    let l = one("* LIST (\\Noselect) NIL \"[Gmail]/All \\\"x\\\\\"");
    assert_eq!((l.path.as_str(), l.delimiter, l.selectable), ("[Gmail]/All \"x\\", None, false));
    assert_eq!(one("* list () \"\\\\\" {14}\r\nA\r\nB DELETE x\"").path.to_wire(), b"A\r\nB DELETE x\"");
    assert!(one("* LIST () \"/\" inBox").path.is_inbox());
    assert_eq!(one("* LIST () \"//\" a").delimiter, None);
    assert!(matches!(read(b"* LIST () \"/\" \"\""), Untagged::Other));
}

#[test]
fn numbers_that_lie() {
    assert!(matches!(read(b"* 4294967295 EXISTS"), Untagged::Exists(u32::MAX)));
    assert!(matches!(read(b"* 99999999999 EXISTS"), Untagged::Insane));
    assert!(matches!(read(b"* -1 EXISTS"), Untagged::Insane));
    let Untagged::Fetch(f) = read(b"* 1 FETCH (UID 4294967296 MODSEQ (18446744073709551615) FLAGS (\\seen \\Recent \"a b\" x))")
    else {
        unreachable!()
    };
    assert_eq!((f.uid, f.modseq), (None, ModSeq(0)));
    let flags = f.flags.unwrap();
    assert!(flags.has(Flag::Seen) && flags.keywords().count() == 1);
}

#[test]
fn searches() {
    let set = |line: &[u8]| match read(line) {
        Untagged::Search(s) => s.to_string(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(set(b"* SEARCH 3 2 0 99999999999 9 (MODSEQ 5)"), "2:3,9");
    assert_eq!(set(b"* SEARCH"), "");
    assert_eq!(set(b"* ESEARCH (TAG \"a1\") UID ALL 1:4294967295"), "1:4294967295");
    for bad in ["1:0", "*:*", ",1,,2"] {
        assert_eq!(set(format!("* ESEARCH UID ALL {bad}").as_bytes()), "", "{bad}");
    }
}

#[test]
fn status_of_a_mailbox() {
    let Untagged::Counts { path, status: s, whole: false } =
        read(b"* STATUS \"a b\" (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 99999999999 X 1 HIGHESTMODSEQ 7)")
    else {
        unreachable!()
    };
    assert_eq!((path.as_str(), s.messages, s.uidnext, s.uidvalidity.0, s.highestmodseq.0), ("a b", 3, 9, 0, 7));
}
