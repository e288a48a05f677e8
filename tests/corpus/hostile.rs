//! hostile — the vectors of `security.md` that parsing and reading have to stand, each under its number.

use postrider::mail::body::{Disposition, Message, author};
use postrider::mail::links::{Link, LinkKind};
use postrider::mail::render::{self, Rendered};
use postrider::mail::structure::Prefer;
use postrider::mail::{filename, parse, render_html, render_invite};
use std::collections::HashMap;
use std::time::Duration;

use super::{SLOW, spent};

fn mail(raw: &str) -> Message {
    parse::message(raw.as_bytes().to_vec())
}

fn read(message: &Message, prefer: Prefer) -> Rendered {
    render::render(message, 80, prefer)
}

fn text(rendered: &Rendered) -> String {
    rendered.lines.iter().map(|l| l.text() + "\n").collect()
}

fn html(body: &str) -> Rendered {
    read(&mail(&format!("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}")), Prefer::Html)
}

/// Two authors, a route, a broken address: nobody vouches for the name.
#[test]
fn m01_to_m11_ambiguous_authors_are_never_certain() {
    for head in [
        "From: a@attack\r\nFrom: admin@legit",
        "From: admin@legit\r\nFrom: a@attack",
        "From : admin@legit\r\nFrom: a@attack",
        "From\r\n : a@attack\r\nFrom: admin@legit",
        "Sender: admin@legit",
        "Resent-From: admin@legit",
        "From: ",
        "X: y",
        "From: <a@attack>, <admin@legit>",
        "From: <admin@legit>\\,<b@attack>",
        "From: admin@legit,<b@attack>",
    ] {
        let message = mail(&format!("{head}\r\nSubject: x\r\nTo: y@z\r\n\r\ntext"));
        assert!(author(&message.envelope).ambiguous, "{head}: {:?}", message.envelope.from);
    }
    // An encoded word is text, never an address.
    let message = mail("From: =?utf-8?b?PGFkbWluQGxlZ2l0Pg==?=,<b@attack>\r\nSubject: x\r\n\r\n");
    assert!(message.envelope.from.iter().all(|a| a.addr != "admin@legit"), "{:?}", message.envelope.from);
    // A route is no author, and what follows an address is none either.
    for head in ["From: <@attack,@any:admin@legit>", "From: <a@attack>admin@legit"] {
        let message = mail(&format!("{head}\r\nSubject: x\r\n\r\n"));
        let author = author(&message.envelope);
        assert!(
            author.ambiguous
                || author.address.addr == "admin@legit" && head.contains("@any:")
                || author.address.addr == "a@attack",
            "{head}: {author:?}"
        );
    }
}

#[test]
fn m12_mailsploit_shows_the_real_domain() {
    let word = "=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?=";
    for middle in ["=?utf-8?Q?=00?=", "=?utf-8?Q?=0A?=", "=?utf-8?Q?=0D=0A?=", "=?utf-8?Q?=1B]0;PWN=07?=", "=?utf-8?Q?=28?="] {
        let message = mail(&format!("From: {word}{middle}{word}@mailsploit.com\r\nSubject: x\r\n\r\n"));
        let author = author(&message.envelope);
        let plain = author.address.addr.ends_with("@mailsploit.com");
        assert!(plain || author.ambiguous, "{middle}: {author:?}");
        assert!(!author.address.addr.ends_with("@whitehouse.gov"), "{middle}: {author:?}");
    }
}

#[test]
fn m13_names_that_look_like_addresses_are_told() {
    for from in [
        "\"boss@bank.example\" <eve@x.example>",
        "\"boss@bank.example                 .\" <eve@x.example>",
        "=?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGUA?= <eve@x.example>",
        "=?utf-8?q?boss=40bank.example=E2=80=AE?= <eve@x.example>",
    ] {
        let message = mail(&format!("From: {from}\r\nSubject: x\r\n\r\n"));
        let author = author(&message.envelope);
        assert!(author.lies && author.address.addr == "eve@x.example", "{from}: {author:?}");
    }
    let honest = mail("From: \"ann@example.org\" <Ann@example.org>\r\nSubject: x\r\n\r\n");
    assert!(!author(&honest.envelope).lies);
}

#[test]
fn m17_dates_never_overflow_or_take_time() {
    let start = spent();
    for date in [
        "",
        "Mon, 1 Jan 99999 00:00:00 +0000",
        "Mon, 1 Jan 2020 00:00:00 +9999",
        "Mon, 1 Jan 2020 00:00:00 -9999",
        "1 Jan -1 00:00",
        &"(".repeat(100_000),
    ] {
        let message = mail(&format!("Date: {date}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nSubject: x\r\n\r\n"));
        assert!(
            message.envelope.date.is_none_or(|d| (-100_000_000_000..500_000_000_000).contains(&d)),
            "{date:.30}: {:?}",
            message.envelope.date
        );
    }
    assert!(spent() - start < Duration::from_millis(60) * SLOW, "{:?}", spent() - start);
}

#[test]
fn m19_broken_headers_show_something() {
    for raw in [
        &b""[..],
        b"\r\n",
        b"From someone Fri Nov 20\nSubject: x\n\nbody",
        b"Subject: x\rFrom: a@b\r\rbody",
        b"Subject\0: x\r\n\r\nbody",
        b"Subject: \xff\xfe\xe4\r\n\r\nbody",
        b"no header at all, and no separator",
        b": empty name\r\n\r\nbody",
        b" starts with space\r\nSubject: x\r\n\r\nbody",
    ] {
        let message = parse::message(raw.to_vec());
        let shown = text(&read(&message, Prefer::Plain));
        assert!(!shown.trim().is_empty(), "{raw:?}");
        if raw.windows(4).any(|w| w == b"body") {
            assert!(shown.contains("body"), "{raw:?}: {shown}");
        }
    }
}

#[test]
fn m20_encoded_words_cannot_make_lines_or_escapes() {
    for (subject, wanted) in [
        ("=?utf-8?b?YQ0KQmNjOiBldmlsQHguZXhhbXBsZQ==?=", "a"),
        ("=?iso-2022-jp?b?GyRCRnxLXA==?=", ""),
        ("=?utf-7?q?+ADw-b+AD4-?=", ""),
        ("=?x-nope?q?caf=E9?=", "caf"),
        ("=?utf-8?q?=1B]0;PWN=07?=", ""),
    ] {
        let message = mail(&format!("Subject: {subject}\r\nFrom: a@b\r\n\r\n"));
        assert!(message.envelope.subject.starts_with(wanted), "{subject}: {:?}", message.envelope.subject);
        assert!(message.envelope.bcc.is_empty());
        let shown = postrider::base::safetext::SafeText::line(&message.envelope.subject);
        assert!(!shown.as_str().chars().any(char::is_control), "{shown:?}");
    }
}

#[test]
fn m21_parameters_are_bounded_and_decoded_once() {
    let many: String = (0..20_000).rev().map(|n| format!(";\r\n filename*{n}*=x")).collect();
    for params in [
        ";\r\n filename*999999999*=x".to_owned(),
        many,
        ";\r\n filename*=utf-8''..%2F..%2Fetc%2Fpasswd".to_owned(),
        ";\r\n filename=%252e%252e/x".to_owned(),
        ";\r\n filename*=x''a%00b".to_owned(),
        ";\r\n filename*0=a; filename*2=c; filename=plain".to_owned(),
    ] {
        let start = spent();
        let raw = format!("Subject: x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment{params}\r\n\r\nPDF");
        let message = mail(&raw);
        let files = read(&message, Prefer::Plain).plan.attachments;
        assert_eq!(files.len(), 1, "{params:.60}");
        let name = &files[0].safe_name;
        assert!(
            !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != ".." && name.len() <= filename::MAX_NAME,
            "{name:?}"
        );
        assert!(spent() - start < Duration::from_millis(300) * SLOW);
        assert_eq!(message.parts[0].disposition, Disposition::Attachment);
    }
}

#[test]
fn m23_what_is_outside_of_parts_is_not_shown_and_the_other_form_is_told() {
    let raw = "Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\nPREAMBLE\r\n--b\r\n\r\nyou win\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>pay\r\n--b--\r\nEPILOGUE";
    let message = mail(raw);
    let plain = read(&message, Prefer::Plain);
    assert!(plain.plan.alternative && text(&plain) == "you win\n", "{}", text(&plain));
    assert_eq!(text(&read(&message, Prefer::Html)), "pay\n");
    assert_eq!(render::preview(&message), "you win");
}

#[test]
fn m24_m40_nothing_names_what_could_be_fetched() {
    let raw = "Subject: x\r\nContent-Type: message/external-body; access-type=URL; URL=\"http://127.0.0.1:9/PWN\"\r\n\r\nContent-Type: text/plain\r\n\r\n";
    let rendered = read(&mail(raw), Prefer::Plain);
    assert!(rendered.links.is_empty(), "{:?}", rendered.links);
    for body in [
        "<img src=http://127.0.0.1:9/t.gif>x",
        "<img srcset='http://127.0.0.1:9/a 2x'>x",
        "<link rel=stylesheet href=http://127.0.0.1:9/a.css>x",
        "<link rel=prefetch href=//127.0.0.1:9/a>x",
        "<iframe src=http://127.0.0.1:9/></iframe>x",
        "<video poster=http://127.0.0.1:9/></video>x",
        "<object data=http://127.0.0.1:9/>y</object>x",
        "<embed src=http://127.0.0.1:9/>x",
        "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>x",
        "<style>@import 'http://127.0.0.1:9/a.css'; p{background:url(http://127.0.0.1:9/)}</style>x",
        "<body background=http://127.0.0.1:9/>x",
        "<svg><image xlink:href=http://127.0.0.1:9/></svg>x",
        "<form action=http://127.0.0.1:9/><input type=submit></form>x",
        "<script src=http://127.0.0.1:9/></script>x",
    ] {
        let rendered = html(body);
        assert_eq!(text(&rendered).trim(), "x", "{body}");
        assert!(rendered.links.is_empty(), "{body}: {:?}", rendered.links);
    }
    // `<base>` does not change where a link leads.
    let rendered = html("<base href=http://127.0.0.1:9/><a href=/x>link</a>");
    assert!(rendered.links.iter().all(|l| l.kind == LinkKind::Other), "{:?}", rendered.links);
}

#[test]
fn m26_calendars_run_nothing() {
    let event = |lines: &str| format!("BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    let start = spent();
    for text in [
        event("ATTACH:http://127.0.0.1:9/\nATTACH:file:///etc/passwd\nSUMMARY:\x1b]0;PWN\x07"),
        event("SUMMARY:x\nRRULE:FREQ=SECONDLY;COUNT=999999999\nDTSTART:20261124T000000Z"),
        event(&"ATTENDEE:mailto:a@b\n".repeat(100_000)),
        "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n".repeat(100_000),
        "BEGIN:VEVENT\n".repeat(100_000),
        format!("BEGIN:VTIMEZONE\nTZID:a\nEND:VTIMEZONE\n{}", event("DTSTART;TZID=a:20261124T000000\nSUMMARY:x")),
    ] {
        let mut links = postrider::mail::links::Links::default();
        if let Some(card) = render_invite::blocks(&text, &jiff::tz::TimeZone::UTC, &mut links) {
            assert!(card.iter().all(|b| !b.text().contains(['\x1b', '\x07']) && !b.text().contains("/etc/passwd")));
            assert!(card.len() < 200);
        }
        assert!(links.into_vec().iter().all(|l| l.kind == LinkKind::Mail));
    }
    assert!(spent() - start < Duration::from_secs(1) * SLOW, "{:?}", spent() - start);
}

#[test]
fn m30_names_are_one_harmless_component() {
    let long = "x".repeat(100_000) + ".pdf";
    for name in [
        "../../.ssh/authorized_keys",
        "/etc/cron.d/x",
        "..\\..\\x",
        "~/.bashrc",
        "a/b.txt",
        ".",
        "..",
        "",
        "a\0.txt",
        "a\nb",
        "\x1b]0;PWN\x07.txt",
        "-rf",
        "--version",
        "$(touch PWN).pdf",
        "`id`.pdf",
        ";touch PWN;.pdf",
        "%s%n",
        &long,
        "CON",
        "a.txt.",
        "a.txt   ",
        "invoice\u{202e}fdp.exe",
        "photo.jpg    .exe",
    ] {
        let safe = filename::safe(name);
        assert!(!safe.is_empty() && safe.len() <= filename::MAX_NAME, "{name:?}: {safe:?}");
        assert!(!safe.starts_with(['-', '.', '~', ' ']) && !safe.ends_with(['.', ' ']), "{name:?}: {safe:?}");
        assert!(!safe.chars().any(|c| c.is_control() || "/\\$`;|&<>*?\"\u{202e}".contains(c)), "{name:?}: {safe:?}");
    }
    assert!(filename::safe("photo.jpg    .exe").ends_with(".exe") && filename::safe(&long).ends_with(".pdf"));
}

#[test]
fn m41_hidden_text_is_counted_and_stays_out_of_everything() {
    for hidden in [
        "<div style='display:none'>SECRET</div>",
        "<p style='visibility:hidden'>SECRET</p>",
        "<span style='font-size:0'>SECRET</span>",
        "<font color=#fff>SECRET</font>",
    ] {
        let message = mail(&format!("Subject: x\r\nContent-Type: text/html\r\n\r\n<p>seen</p>{hidden}"));
        let rendered = read(&message, Prefer::Html);
        assert!(rendered.hidden == 1 && !text(&rendered).contains("SECRET"), "{hidden}");
        assert!(!render::preview(&message).contains("SECRET") && !render::words(&message, 10_000).contains("SECRET"), "{hidden}");
    }
    for dropped in ["<!-- SECRET -->", "<title>SECRET</title>", "<script>SECRET</script>"] {
        assert_eq!(text(&html(&format!("<p>seen</p>{dropped}"))), "seen\n");
    }
    // It shows the rest as text, and hides nothing after it.
    assert!(text(&html("<p>a<plaintext><b>b")).contains("<b>b"));
}

#[test]
fn m42_links_say_where_they_lead() {
    for (href, shown, kind, lies) in [
        ("http://evil.example", "https://bank.example", LinkKind::Web, true),
        ("https://bank.example@evil.example/", "https://bank.example", LinkKind::Web, true),
        ("https://bank.example%2f@evil/", "https://bank.example", LinkKind::Web, true),
        ("https://bank.example/x", "https://bank.example", LinkKind::Web, false),
        ("https://mail.bank.example/x", "bank.example", LinkKind::Web, false),
        ("javascript:alert(1)", "x", LinkKind::Other, false),
        ("data:text/html,x", "x", LinkKind::Other, false),
        ("file:///etc/passwd", "x", LinkKind::Other, false),
        ("smb://host/x", "x", LinkKind::Other, false),
        ("ssh://-oProxyCommand=touch PWN", "x", LinkKind::Other, false),
        ("tel:123", "x", LinkKind::Other, false),
        (" \x01javascript:alert(1)", "x", LinkKind::Other, false),
        ("mailto:a@b", "x", LinkKind::Mail, false),
    ] {
        let link = Link::new(1, href, shown).unwrap();
        assert_eq!((link.kind, link.lies), (kind, lies), "{href}: {link:?}");
        assert!(link.url.bytes().all(|b| b.is_ascii_graphic()) && !link.url.starts_with('-'), "{href}: {link:?}");
    }
    let cyrillic = Link::new(1, "https://р\u{430}ypal.com/", "x").unwrap();
    assert!(cyrillic.host.starts_with("xn--"), "{cyrillic:?}");
    let long = Link::new(1, &format!("https://a.example/{}", "x".repeat(100_000)), "x").unwrap();
    assert!(long.url.len() <= postrider::mail::links::MAX_URL);
}

#[test]
fn m45_the_charset_of_the_mail_wins_and_utf7_is_never_guessed() {
    let raw = "Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-";
    assert!(text(&read(&mail(raw), Prefer::Html)).contains("+ADw-script"));
    let raw = "Subject: x\r\nContent-Type: text/html\r\n\r\n<meta http-equiv=content-type content='text/html; charset=utf-7'>+ADw-b+AD4-";
    assert!(text(&read(&mail(raw), Prefer::Html)).contains("+ADw-"));
}

/// Efail (C-05): what stands open in one part is not closed by another.
#[test]
fn c05_parts_are_read_each_by_itself() {
    let raw = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src=\"http://127.0.0.1:9/\r\n\
               --b\r\n\r\nSECRET\r\n--b\r\nContent-Type: text/html\r\n\r\n\">\r\n--b--\r\n";
    let rendered = read(&mail(raw), Prefer::Html);
    assert!(text(&rendered).contains("SECRET"));
    assert!(rendered.links.is_empty());
}

#[test]
fn html_alone_needs_no_mail() {
    let html = render_html::blocks("<p>x", &mut postrider::mail::links::Links::default(), &HashMap::new());
    assert_eq!((html.blocks.len(), html.cut), (1, false));
}
