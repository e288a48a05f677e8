//! details_tests — what rows can be shown without, asked of a scripted server with and without each way.

use super::*;
use crate::mail::uid::Uid;
use crate::net::error::NetErrorKind;
use crate::net::imap::tests::with_words;
use crate::net::script::{Step, hear, say};

/// A file, and what it answers, if anything.
fn row(uid: u32, file: &str, answers: &str) -> String {
    let header = if answers.is_empty() { "\r\n".to_owned() } else { format!("In-Reply-To: <{answers}>\r\n\r\n") };
    format!(
        "* 3 FETCH (UID {uid} BODYSTRUCTURE (\"application\" \"pdf\" (\"name\" \"{file}\") NIL NIL \"base64\" 9) \
         BODY[HEADER.FIELDS (IN-REPLY-TO)] {{{}}}\r\n{header})\r\n",
        header.len()
    )
}

fn ask(words: &str, uids: &UidSet, steps: Vec<Step>) -> (Vec<(u32, String, usize)>, String) {
    let mut told = Vec::new();
    let ((), heard) = with_words(words, steps, |store| store.fetch_details_of(uids, &mut told).unwrap());
    (told.into_iter().map(|d| (d.uid.get(), d.attachments.concat(), d.in_reply_to.len())).collect(), heard)
}

#[test]
fn the_server_says_of_which_there_is_something_to_tell() {
    let all = UidSet::range(1, 9);
    let expected = vec![(4, "a.pdf".to_owned(), 0), (7, "b.pdf".to_owned(), 1)];
    let rows = [row(4, "a.pdf", ""), row(4, "twice.pdf", ""), row(7, "b.pdf", "i@x"), row(12, "nobody asked.pdf", "")].concat();
    // One turn.
    let steps = vec![
        hear("UID SEARCH RETURN (SAVE) UID 1:9 OR NOT HEADER CONTENT-TYPE \"text/\" "),
        hear("UID FETCH $ (UID BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (IN-REPLY-TO)])"),
        say(format!("a3 OK saved\r\n{rows}%T OK done\r\n")),
    ];
    assert_eq!(ask("ESEARCH SEARCHRES", &all, steps).0, expected);
    // Two.
    for (words, verb, found) in [
        ("ESEARCH", "UID SEARCH RETURN (ALL) UID 1:9 OR ", "* ESEARCH (TAG \"x\") UID ALL 4,7,12\r\n"),
        ("IDLE", "UID SEARCH UID 1:9 OR ", "* SEARCH 4 7 12\r\n"),
    ] {
        let steps =
            vec![hear(verb), say(format!("{found}%T OK x\r\n")), hear("UID FETCH 4,7 (UID "), say(format!("{rows}%T OK x\r\n"))];
        assert_eq!(ask(words, &all, steps).0, expected);
    }
}

/// A server that cannot say it is asked for all; of a few it is not asked to.
#[test]
fn else_all_are_asked_for() {
    let all = UidSet::range(1, 9);
    let fetch = || vec![hear("UID FETCH 1:9 (UID BODYSTRUCTURE"), say(format!("{}%T OK done\r\n", row(4, "a.pdf", "")))];
    let saved = vec![hear("UID SEARCH RETURN (SAVE) "), hear("UID FETCH $ "), say("a3 BAD what\r\n%T OK done\r\n")];
    let (told, _) = ask("ESEARCH SEARCHRES", &all, [saved, fetch()].concat());
    assert_eq!(told, [(4, "a.pdf".to_owned(), 0)]);
    let plain = vec![hear("UID SEARCH UID 1:9 "), say("%T NO [CANNOT] what\r\n")];
    let (told, _) = ask("IDLE", &all, [plain, fetch()].concat());
    assert_eq!(told, [(4, "a.pdf".to_owned(), 0)]);
    let few = vec![hear("UID FETCH 7:8 (UID "), say(format!("{}%T OK x\r\n", row(7, "b.pdf", "i@x")))];
    let (told, heard) = ask("ESEARCH SEARCHRES", &UidSet::range(7, 8), few);
    assert!(told == [(7, "b.pdf".to_owned(), 1)] && !heard.contains("SEARCH"), "{heard}");
}

/// What is refused leaves the line usable; half an answer is not taken for one.
#[test]
fn what_is_refused_is_said() {
    let refused = vec![hear("UID FETCH 7 "), say("%T NO no\r\n"), hear("NOOP"), say("%T OK x\r\n")];
    let uid: UidSet = Uid::new(7).into_iter().collect();
    let (end, _) = with_words("IDLE", refused, |store| {
        let told = store.fetch_details_of(&uid, &mut Vec::new());
        (told.unwrap_err().kind, store.simply(&Command::new("NOOP")).is_ok())
    });
    assert_eq!(end, (NetErrorKind::No { code: String::new() }, true));
    let half =
        format!("{}* 2 FETCH (UID 8 BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL NIL 1 1))\r\n%T OK x\r\n", row(7, "b.pdf", ""));
    let (told, _) = ask("IDLE", &UidSet::range(7, 8), vec![hear("UID FETCH 7:8 "), say(half)]);
    assert_eq!(told, [(7, "b.pdf".to_owned(), 0)]);
}

/// What came whole before the line broke counts.
#[test]
fn what_came_before_the_line_broke_is_told() {
    let mut told = Vec::new();
    let cut = vec![hear("UID FETCH 7:9 "), say(format!("{}* 8 FETCH (UID 8 BODYSTR", row(7, "b.pdf", "")))];
    let (end, _) = with_words("IDLE", cut, |store| store.fetch_details_of(&UidSet::range(7, 9), &mut told));
    assert!(end.is_err_and(|e| !e.connection_lives()));
    assert_eq!(told.iter().map(|d| d.uid.get()).collect::<Vec<_>>(), [7]);
}
