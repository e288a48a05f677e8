//! tests — the form of an account, typed into.
//! Owns: nothing. May import: app, config.
//! Start reading at: `press`.

use super::*;

pub fn press(form: &mut Form, keys: &str) -> Wish {
    let mut last = Wish::None;
    for key in keys.split_whitespace() {
        match key.strip_prefix('"') {
            Some(text) => text.chars().for_each(|c| {
                form.key(Key::char(c));
            }),
            None => last = form.key(Key::parse(key).unwrap()),
        }
    }
    last
}

#[test]
fn an_address_and_a_password_are_enough() {
    let mut form = Form::new(vec!["example".into()]);
    press(&mut form, "\"ann@example.org Enter \"Ann Tab Tab Space");
    assert_eq!(form.line(Field::Incoming).text(), "imap.example.org");
    assert_eq!((form.choice(Field::IncomingTls), form.line(Field::IncomingPort).text()), (Some("STARTTLS"), "143"));
    let Wish::Try(account, password) = press(&mut form, "Up Up Up Up \"secret Enter") else { panic!("{:?}", form.trial) };
    let imap = account.imap.unwrap();
    assert_eq!((imap.host.as_str(), imap.port, imap.tls), ("imap.example.org", 143, Tls::StartTls));
    assert_eq!(account.name, "example2", "a name that is taken gets a number");
    assert_eq!((account.user, account.password_command, password.as_deref()), (None, None, Some("secret")));
    assert!(!format!("{form:?}").contains("secret"));
}

#[test]
fn guesses_leave_alone_what_was_written() {
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann@example.org Tab Tab C-u \"mail.host Up Up \"x");
    assert_eq!(form.line(Field::Address).text(), "ann@example.orgx");
    assert_eq!(form.line(Field::Incoming).text(), "mail.host");
    assert_eq!(form.line(Field::Outgoing).text(), "smtp.example.orgx");
}

#[test]
fn what_is_missing_is_said_and_found() {
    let mut form = Form::new(vec![]);
    form.point(Field::Password as usize);
    assert!(matches!(press(&mut form, "Enter"), Wish::None));
    assert_eq!(form.focus(), Field::Address);
    assert!(matches!(&form.trial, Trial::Incomplete(why) if why.as_str().contains("no mail address")));
    press(&mut form, "\"ann@example.org Tab Tab Tab Space Space");
    assert!(form.complete().unwrap_err().1.contains("without encryption"));
    press(&mut form, "Space");
    form.point(Field::Password as usize);
    press(&mut form, "Enter");
    assert!(matches!(&form.trial, Trial::Incomplete(why) if why.as_str().contains("password")));
    press(&mut form, "Up Space Down \"pass Enter");
    assert_eq!(form.trial, Trial::Running);
    assert!(matches!(press(&mut form, "Esc"), Wish::Stop), "Esc stops the test first");
    assert_eq!(form.trial, Trial::Stopped);
    assert!(matches!(press(&mut form, "Esc"), Wish::Leave));
}

#[test]
fn typing_replaces_a_guess_and_edits_what_was_typed() {
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann@example.org Tab Tab \"mail.host Tab Tab \"1143");
    assert_eq!((form.line(Field::Incoming).text(), form.line(Field::IncomingPort).text()), ("mail.host", "1143"));
    press(&mut form, "Up Up \".net Down Down Down Backspace");
    assert_eq!(form.line(Field::Incoming).text(), "mail.host.net", "what was typed is typed on");
    assert_eq!(form.line(Field::Outgoing).text(), "smtp.example.or", "other keys edit the guess");
    form.point(Field::Login as usize);
    form.paste("ann\n");
    assert_eq!(form.line(Field::Login).text(), "ann");
}

#[test]
fn an_authority_is_asked_for_once_a_server_was_not_trusted() {
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann@example.org Up \"secret Enter");
    assert!(form.fields().all(|f| f != Field::CaFile));
    let fault = Fault::new(Kind::Tls, "imap.example.org is not trusted").remedied(Remedy::TrustAuthority);
    form.failed(SafeText::of("encryption"), fault, false);
    assert_eq!(form.focus(), Field::CaFile);
    let Wish::Try(account, _) = press(&mut form, "\"~/ca.pem Enter") else { panic!("{:?}", form.trial) };
    assert_eq!(account.ca_file, Some(PathBuf::from("~/ca.pem")));
    press(&mut form, "Esc C-u");
    assert_eq!(form.complete().unwrap().ca_file, None);
}
