//! form — an account is added in the reader's own form, key by key, as on the first day.
//! Start reading at: `fill_in`.

use crate::mailhost::{PASSWORD, host};
use crate::screen::Screen;

/// Fills in the form that is on the screen, up to the file of an authority of one's own, which is asked for once the test found
/// that the servers are not trusted. The form closes when the account is saved.
pub fn fill_in(screen: &mut Screen, address: &str, name: &str, imap: u16, smtp: u16) {
    screen.shows("Its domain is asked for the servers");
    screen.press(&format!("{address}\t{name}\t"));
    for port in [imap, smtp] {
        screen.paste("127.0.0.1");
        screen.press(&format!("\t\t{port}\t"));
    }
    // The login name is guessed; the password comes from a command.
    screen.press("\t \t");
    screen.shows("printed by a command");
    screen.paste(&format!("echo {PASSWORD}"));
    screen.press("\r");
    screen.shows("is not trusted");
    screen.paste(&host().dir.join("tls/ca.pem").display().to_string());
    screen.press("\r");
    screen.shows_no("Add an account");
}
