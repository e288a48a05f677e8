//! transport — T-01 to T-12, T-15: nothing is said, and nothing believed, before it is proven who is there.
//! Start reading at: `clear`.

use super::bed::{Bed, PASSWORD};
use super::cert::{Identity, Spec};
use super::wire::{Act, Heard, Server, Tls, first, say};
use openssl::ssl::SslVersion;
use std::time::Duration;

fn starttls() -> Server {
    Server::imap_over(Tls::Start(Identity::good()))
}

/// What was said before TLS, which must be nothing but the wish for it.
#[track_caller]
fn clear(server: &Server) -> Vec<Heard> {
    let clear: Vec<Heard> = server.heard().into_iter().filter(|h| !h.tls).collect();
    for h in &clear {
        // The first bytes of a handshake that nobody does look like noise.
        let harmless = ["STARTTLS", "CAPABILITY", "LOGOUT", "EHLO", "QUIT"].iter().any(|w| h.line.contains(w));
        assert!(harmless || h.line.contains('\u{fffd}') || h.line.contains('\0'), "in the clear: {h:?}");
        assert!(!h.line.contains(PASSWORD) && !h.line.contains("HELO "), "{h:?}");
    }
    clear
}

/// Nothing was believed: no mailbox, no mail.
#[track_caller]
fn empty(bed: &Bed) {
    let mailboxes = bed.run(&["--offline", "mailboxes", "--json"]).code(0);
    let rows = mailboxes.json();
    assert!(rows.as_array().unwrap().is_empty(), "{rows}");
}

/// T-01: a server without STARTTLS that would take a password all the same.
#[test]
fn t_01_no_starttls_offered() {
    let server = starttls();
    server.always("<greeting>", vec![say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] hi\r\n")]);
    server.always("STARTTLS", vec![say("%T BAD what\r\n")]);
    server.always("LOGIN", vec![say("%T OK in\r\n")]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(69).says("STARTTLS");
    clear(&server);
    empty(&bed);
}

/// T-02: STARTTLS refused, or answered by what is none. Silence is in `patience.rs`.
#[test]
fn t_02_starttls_refused() {
    for answer in ["%T NO not now\r\n", "%T BAD what\r\n", "+ go on\r\n", "* BYE x\r\n"] {
        let server = starttls();
        server.always("STARTTLS", vec![say(answer), Act::Stall(Duration::from_millis(300)), Act::Close]);
        let bed = Bed::at(&server);
        let told = bed.run(&["sync"]).code(69).err;
        assert!(["STARTTLS", "encrypt", "broke"].iter().any(|word| told.contains(word)), "{answer}: {told}");
        assert_eq!(server.came().len(), 1, "not again");
        clear(&server);
        empty(&bed);
    }
}

/// T-03: logged in before TLS, as whoever.
#[test]
fn t_03_preauth() {
    let caps =
        ["", "[CAPABILITY IMAP4rev1] ", "[CAPABILITY IMAP4rev1 AUTH=PLAIN] ", "[CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] "];
    for caps in caps.into_iter().chain(["[CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] "]) {
        let server = starttls();
        server.always("<greeting>", vec![say(format!("* PREAUTH {caps}hi\r\n"))]);
        let bed = Bed::at(&server);
        bed.run(&["sync"]).code(69);
        assert!(clear(&server).is_empty(), "not even STARTTLS");
        empty(&bed);
    }
    // Over TLS too: we know whom we asked for, not as whom it logged us in.
    let server = Server::imap_over(Tls::Implicit(Identity::good()));
    server.always("<greeting>", vec![say("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")]);
    let bed = Bed::at(&server);
    assert_ne!(bed.run(&["sync"]).code, 0);
    assert!(server.heard().is_empty());
}

/// T-04: bytes in the same segment as the go-ahead would be read as if they had come encrypted.
#[test]
fn t_04_injected_before_tls() {
    let server = starttls();
    let injected = "%T OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n";
    server.always("STARTTLS", vec![say(injected), Act::Tls]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(69);
    clear(&server);
    assert!(server.heard().iter().all(|h| !h.tls), "it ends before anything is said");
    empty(&bed);
    let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::Start(Identity::good())));
    smtp.always("STARTTLS", vec![say("220 ready\r\n250-x\r\n250 AUTH PLAIN\r\n"), Act::Tls]);
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["account", "test"]).code(69);
    clear(&smtp);
    assert_eq!(smtp.count("AUTH"), 0);
}

/// T-05: data before TLS, after the greeting and before the go-ahead, reach nothing.
#[test]
fn t_05_data_before_tls() {
    let evil = "* LIST () \"/\" EVIL\r\n* LSUB () \"/\" EVIL\r\n* 1 EXISTS\r\n* 1 RECENT\r\n* SEARCH 1\r\n* FLAGS (X)\r\n\
        * STATUS INBOX (MESSAGES 9)\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 1 FLAGS (\\Deleted) BODY[] {3}\r\nBAD)\r\n";
    for place in ["<greeting>", "STARTTLS"] {
        let server = starttls();
        let acts = if place == "STARTTLS" { vec![first(evil)] } else { vec![Act::Honest, say(evil)] };
        server.always(place, acts);
        let bed = Bed::at(&server);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert_eq!(bed.subjects("INBOX"), ["Letter 1", "Letter 2", "Letter 3"]);
        assert_eq!(bed.subjects("EVIL"), Vec::<String>::new());
        bed.run(&["--offline", "list", "EVIL"]).code(66);
        let text = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 1")]).code(0);
        assert!(text.out.contains("the text of letter 1"), "{}", text.out);
        assert!(server.heard().iter().any(|h| h.tls && h.line.contains("CAPABILITY")), "asked again after TLS");
    }
}

/// T-07: a server that says to go elsewhere is not followed there.
#[test]
fn t_07_referrals() {
    let decoy = Server::imap();
    for (place, code) in [("AUTHENTICATE", 77), ("SELECT", 1)] {
        let server = Server::imap();
        let to = format!("%T NO [REFERRAL IMAP://;AUTH=*@127.0.0.1:{}/] go there\r\n", decoy.port);
        server.always(place, vec![Act::Say(to.into_bytes())]);
        let bed = Bed::at(&server);
        bed.run(&["sync"]).code(code);
        assert_eq!(server.came().len(), 1);
    }
    assert!(decoy.came().is_empty());
}

/// T-08: EHLO refused is no way around TLS. T-09: what was offered before TLS is forgotten.
#[test]
fn t_08_t_09_submission_before_tls() {
    let submit = |spoil: &dyn Fn(&Server)| {
        let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::Start(Identity::good())));
        spoil(&smtp);
        let mut bed = Bed::new();
        bed.account("a", &imap, Some(&smtp), "");
        let ran = bed.run(&["account", "test"]);
        let clear = clear(&smtp);
        assert!(clear.iter().all(|h| !h.line.contains("AUTH") && !h.line.contains("MAIL")), "{clear:?}");
        (ran, smtp)
    };
    let (ran, smtp) = submit(&|smtp| {
        smtp.always("EHLO", vec![say("500 what\r\n")]);
        smtp.always("HELO", vec![say("250 hi\r\n")]);
    });
    assert_eq!((ran.code, smtp.count("AUTH")), (69, 0));
    // Offered in the clear, used only after TLS.
    let before = "250-x\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n";
    let (ran, smtp) = submit(&|smtp| {
        smtp.once("EHLO", vec![say(before)]);
    });
    assert_eq!((ran.code, smtp.count("AUTH PLAIN"), smtp.count("EHLO")), (0, 1, 2), "{}", ran.out);
    // Offered in the clear alone: not used at all.
    let (ran, smtp) = submit(&|smtp| {
        smtp.once("EHLO", vec![say(before)]);
        smtp.always("EHLO", vec![say("250-x\r\n250 8BITMIME\r\n")]);
    });
    assert_eq!((ran.code, smtp.count("AUTH")), (77, 0), "{}", ran.out);
}

/// T-10: certificates of every wrong kind, each refused in words that name it, before a byte of ours; others go on.
/// What a certificate can be wrong in besides is in `src/net/tls_tests.rs`.
#[test]
fn t_10_certificates() {
    let good = Spec::GOOD;
    let wrong = [
        (Spec { days: (-9, -1), ..good }, "expired"),
        (Spec { days: (1, 9), ..good }, "not valid yet"),
        (Spec { ip: Some("127.0.0.2"), ..good }, "another host"),
        (Spec { ip: None, dns: Some("other.example"), cn: "127.0.0.1", ..good }, "another host"),
        (Spec { ip: None, cn: "127.0.0.1", ..good }, "another host"),
        (Spec { own: true, ..good }, "self-signed"),
        (Spec { client: true, ..good }, "not meant for servers"),
        (Spec { newest: SslVersion::TLS1_1, ..good }, "TLS 1.1"),
    ];
    for (n, (spec, words)) in wrong.into_iter().enumerate() {
        let identity = Identity::new(&spec);
        let tls = if n % 2 == 0 { Tls::Start(identity) } else { Tls::Implicit(identity) };
        let (bad, fine, smtp) = (Server::imap_over(tls.clone()), Server::imap(), Server::smtp_over(tls));
        let mut bed = Bed::new();
        bed.account("a", &bad, None, "");
        bed.account("b", &fine, Some(&smtp), "");
        let ran = bed.run(&["sync"]).code(1);
        assert_eq!(bed.subjects("b/INBOX").len(), 3, "the other account goes on");
        let tested = bed.run(&["account", "test"]);
        assert!(tested.code == 69 && tested.out.matches(words).count() >= 2, "{n}: {}", tested.out);
        assert!(ran.err.contains(words) || bed.log().contains(words), "{n}: {}", ran.err);
        for server in [&bad, &smtp] {
            clear(server);
            assert!(server.heard().iter().all(|h| !h.tls), "{n}: {:?}", server.heard());
        }
    }
}

/// T-11: a pinned certificate is the only one, and is never replaced by itself.
#[test]
fn t_11_a_pin_holds() {
    let pinned = Identity::new(&Spec { own: true, ..Spec::GOOD });
    let server = Server::imap_over(Tls::Implicit(pinned.clone()));
    let mut bed = Bed::new();
    let pin = format!("fingerprint = \"sha256:{}\"", pinned.fingerprint());
    bed.account("a", &server, None, &pin);
    bed.run(&["sync"]).code(0);
    // The same name, another certificate, though the authority vouches for it.
    let other = Server::imap_over(Tls::Implicit(Identity::good()));
    let mut bed = Bed::new();
    bed.account("a", &other, None, &pin);
    let before = std::fs::read(bed.path("config.toml")).unwrap();
    bed.run(&["sync"]).code(69).says("not the one that was pinned");
    bed.run(&["sync"]).code(69);
    assert_eq!(std::fs::read(bed.path("config.toml")).unwrap(), before);
    assert!(other.heard().is_empty());
    // Each server has its own, by host and port: what is accepted of one is not of the other.
    let mine = Identity::new(&Spec { own: true, ..Spec::GOOD });
    for (own, code) in [(true, 0), (false, 69)] {
        let smtp = Server::smtp_over(Tls::Implicit(mine.clone()));
        let mut bed = Bed::new();
        bed.account("a", &server, Some(&smtp), "");
        let before = std::fs::read_to_string(bed.path("config.toml")).unwrap();
        let pinned_at = |text: String, port: u16, pin: String| {
            text.replace(&format!("port = {port}"), &format!("port = {port}, fingerprint = \"sha256:{pin}\""))
        };
        let text = pinned_at(before, server.port, pinned.fingerprint());
        let of_smtp = if own { mine.fingerprint() } else { pinned.fingerprint() };
        bed.write("config.toml", &pinned_at(text, smtp.port, of_smtp));
        bed.run(&["sync"]).code(0);
        bed.run(&["account", "test"]).code(code);
        assert_eq!(smtp.count("AUTH") > 0, own, "{:?}", smtp.heard());
    }
    // Nor is there a way to switch all checks off at once.
    bed.run(&["--insecure", "sync"]).code(64);
}

/// T-12: an end in the middle of a literal, without a good-bye, leaves nothing that looks whole.
#[test]
fn t_12_cut_without_good_bye() {
    for end in [Act::Reset, Act::Close] {
        let server = Server::imap_over(Tls::Implicit(Identity::good()));
        let half = "* 3 FETCH (UID 3 BODY[] {5000}\r\nSubject: Letter 3\r\n\r\nThe first half";
        server.once("BODY.PEEK[]", vec![say(half), end]);
        let bed = Bed::at(&server);
        bed.run(&["sync", "--bodies", "all"]).code(69);
        let id = bed.id("INBOX", "Letter 3");
        let shown = bed.run(&["--offline", "show", &id]);
        assert!(!shown.out.contains("first half"), "{}", shown.out);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert!(bed.run(&["--offline", "show", &id]).code(0).out.contains("the text of letter 3"));
    }
}

/// T-15: with a certificate in place of a password, for reading and for sending: nothing else is said, and a server that
/// does not want it so gets nothing weaker.
#[test]
fn t_15_a_certificate_and_nothing_weaker() {
    for start in [true, false] {
        let tls = |identity| if start { Tls::Start(identity) } else { Tls::Implicit(identity) };
        let (imap, smtp) = (Server::imap_over(tls(Identity::asking())), Server::smtp_over(tls(Identity::asking())));
        let caps = "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=EXTERNAL".to_owned();
        (imap.world().greeting_caps, imap.world().caps) = (caps.clone(), caps);
        imap.always("AUTHENTICATE EXTERNAL =", vec![say("%T OK in\r\n")]);
        let offers = |ways: &str| say(format!("250-mail.example\r\n250-AUTH {ways}\r\n250 8BITMIME\r\n"));
        if start {
            smtp.rule("EHLO", 1, 1, vec![offers("PLAIN EXTERNAL")]);
        } else {
            smtp.once("EHLO", vec![offers("PLAIN EXTERNAL")]);
        }
        smtp.always("AUTH EXTERNAL =", vec![say("235 you\r\n")]);
        let mut bed = Bed::new();
        bed.account("a", &imap, Some(&smtp), "auth = [\"EXTERNAL\"]\nclient-cert = \"me.pem\"");
        bed.write("me.pem", &Identity::new(&Spec { client: true, ip: None, ..Spec::GOOD }).pem());
        bed.run(&["account", "test"]).code(0);
        assert_eq!((imap.count("AUTHENTICATE"), smtp.count("AUTH")), (1, 1));
        // From now on the submission server offers passwords only, then the certificate is of nobody, then there is none.
        bed.run(&["account", "test"]).code(77);
        assert_eq!(smtp.count("AUTH"), 1);
        let said = imap.heard().len();
        bed.write("me.pem", &Identity::new(&Spec { client: true, own: true, ..Spec::GOOD }).pem());
        bed.run(&["sync"]).code(77).says("certificate");
        bed.write("me.pem", "nothing\n");
        bed.run(&["sync"]).code(78).says("certificate or key");
        assert!(imap.heard().iter().skip(said).all(|h| !h.tls), "{:?}", imap.heard());
    }
}
