//! The tests of `untagged.rs`: answers as servers give them, and numbers that lie.

use super::*;
use crate::base::clock::spent;
use crate::mail::flags::Flag;
use proptest::prelude::*;
use std::time::Duration;

fn read(bytes: &[u8]) -> Untagged<'_> {
    super::read(bytes, &mut Room::new())
}

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

/// Lines made of the pieces that servers write, in any order: whatever they mean, nobody panics.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "* ",
        "1 ",
        "4294967296 ",
        "-1 ",
        "FETCH ",
        "(",
        ")",
        "UID ",
        "FLAGS ",
        "ENVELOPE ",
        "BODYSTRUCTURE ",
        "BODY[",
        "]",
        "<0>",
        "BINARY[1.2] ",
        "NIL",
        "\"",
        "\\",
        "\"a\" ",
        "{3}\r\nabc",
        "{99999999999}\r\n",
        "~{1}\r\n\0",
        "LIST ",
        "LSUB ",
        "STATUS ",
        "SEARCH ",
        "ESEARCH ",
        "VANISHED ",
        "(EARLIER) ",
        "1:4294967295",
        ",,",
        "*",
        "EXISTS",
        "EXPUNGE",
        "OK ",
        "[",
        "COPYUID 1 2 3",
        "CAPABILITY ",
        "QUOTA ",
        "MYRIGHTS ",
        "NAMESPACE ",
        "MODSEQ (",
        "\"TEXT\" \"PLAIN\" ",
        "\"multipart\" ",
        "\r\n",
        "\u{e9}",
        "\0",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces.to_vec()).prop_map(|p| p.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|p| [b"* ", &p.concat()[..]].concat())
}

proptest! {
    #[test]
    fn no_line_is_too_odd(line in lines()) {
        let _ = (read(&line), is_fetch(&line), words(&line));
        for value in value::parse(&line, &value::Room::new()) {
            let _ = (super::super::structure::attachments(value), super::super::outline::outline(value));
        }
    }
}

/// Four times as long takes about four times as long: 16 would be a square.
#[test]
fn time_grows_with_the_line() {
    let shapes: [(&str, &str, &str); 8] = [
        ("* 1 FETCH (BODYSTRUCTURE ", "(", ""),
        ("* 1 FETCH (BODYSTRUCTURE (", "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)", " \"mixed\"))"),
        ("* 1 FETCH (FLAGS (", "k ", "))"),
        ("* 1 FETCH (", "{1}\r\nx ", ")"),
        ("* 1 FETCH (ENVELOPE (NIL NIL (", "(\"a\" NIL \"b\" \"c\")", ")))"),
        ("* SEARCH ", "7 9 8 ", ""),
        ("* VANISHED ", "9,7:8,", "1"),
        ("* CAPABILITY ", "X=1 ", ""),
    ];
    for (head, piece, tail) in shapes {
        let time = |count: usize| {
            let line = format!("{head}{}{tail}", piece.repeat(count / piece.len())).into_bytes();
            let before = spent();
            let _ = (read(&line), is_fetch(&line));
            spent() - before
        };
        time(1_000);
        let (one, four) = (time(100_000), time(400_000));
        assert!(four < one * 10 + Duration::from_millis(20), "{head}{piece}: {one:?}, then {four:?}");
    }
}
