//! anew — a session to which the server goes on telling an old list of mailboxes (Dovecot 2.3.19 does, its list index in disorder): a
//! new session is asked, and the list is right.
//! Start reading at: `sticky`, a server with sessions of that kind.

use super::bed::Bed;
use super::imap::Folder;
use super::screen::Screen;
use super::wire::Server;
use std::time::Duration;

/// A server that tells each session what it told it first; its person's reader, which has seen that.
fn sticky(more: &str) -> (Server, Bed, Screen) {
    let server = Server::imap();
    server.world().sticky = true;
    server.world().caps.push_str(more);
    server.world().folders.push(Folder::new("Early"));
    let bed = Bed::at(&server);
    let screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    screen.shows("Early");
    (server, bed, screen)
}

#[test]
fn who_looks_again_is_told_by_a_new_session() {
    let (server, _bed, mut screen) = sticky("");
    server.world().folders.push(Folder::new("Late"));
    // At once, or as soon as the session is not all too young.
    screen.press("\x0e");
    screen.shows("Late");
    screen.press("Q");
    screen.ends();
}

/// Another line tells of a mailbox: it is not in the list of this one, and is there by its name.
#[test]
fn a_list_without_what_was_told_is_asked_for_anew() {
    let (server, _bed, mut screen) = sticky(" NOTIFY");
    screen.until("both lines", Duration::from_secs(30), |_| server.count("NOTIFY") > 0 && server.count("IDLE") > 1);
    server.world().folders.push(Folder::new("Late"));
    screen.shows("Late");
    // What does not become right so is not asked for ever: no session follows another one at once.
    let logins = server.count("AUTHENTICATE");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(server.count("AUTHENTICATE"), logins);
    screen.press("Q");
    screen.ends();
}

/// What is listed and cannot be opened, and is listed again.
#[test]
fn a_list_with_what_is_gone_is_asked_for_anew() {
    let (server, _bed, mut screen) = sticky("");
    server.world().folders.retain(|f| f.name != b"Early");
    let before = server.count("AUTHENTICATE");
    screen.press("gfEarly\r");
    screen.shows_no("Early");
    assert!(server.count("AUTHENTICATE") > before);
    screen.press("Q");
    screen.ends();
}
