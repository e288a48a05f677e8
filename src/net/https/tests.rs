//! tests — web servers on loopback that are honest, and such that are not.
//! Start reading at: `serve`.

use super::*;
use crate::base::gate::Reason;
use crate::net::error::TlsReason;
use crate::net::tls_tests::cert::{Identity, Spec, authority};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

const HOST: &str = "autoconfig.work.test";

struct Served {
    page: Result<Page>,
    /// What the server heard; empty if nobody spoke to it after the handshake.
    heard: String,
}

/// One answer of a server that shows the certificate of `name`; the line is closed after it.
fn serve(name: &'static str, answer: &[u8]) -> Served {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let answer = answer.to_vec();
    let server: JoinHandle<String> = std::thread::spawn(move || {
        let (line, _) = listener.accept().unwrap();
        let identity = Identity::new(&Spec { dns: Some(name), ip: None, ..Spec::GOOD });
        let Ok(tls) = identity.acceptor().accept(line) else { return String::new() };
        let mut tls = BufReader::new(tls);
        let mut heard = String::new();
        while tls.read_line(&mut heard).is_ok_and(|n| n > 2) {}
        let _ = tls.get_mut().write_all(&answer);
        let _ = tls.get_mut().shutdown();
        heard
    });
    // A busy machine is slow.
    let way = Way { ca_file: Some(ca), at: Some(at), patience: PATIENCE * 20 };
    let permit = Permit::ask(Reason::Discovery).unwrap();
    let url = Url::new(HOST, "/mail/config-v1.1.xml").unwrap();
    let page = get(permit, &url, &way, 1_000, &Cancel::new().unwrap());
    Served { page, heard: server.join().unwrap() }
}

fn answered(answer: &str) -> Result<Page> {
    serve(HOST, answer.as_bytes()).page
}

#[test]
fn files_come_in_each_of_the_three_ways() {
    let here = |text: &str| Ok(Page::Here(text.as_bytes().to_vec()));
    let served = serve(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more");
    assert_eq!(served.page, here("hello"));
    assert!(served.heard.starts_with("GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig.work.test\r\n"), "{}", served.heard);
    for word in ["Cookie", "Referer", "Authorization", "@"] {
        assert!(!served.heard.contains(word), "{}", served.heard);
    }
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nContent-Length: 3\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    assert_eq!(answered(chunks), here("hello"));
    assert_eq!(answered("HTTP/1.0 200 OK\n\none\ntwo"), here("one\ntwo"));
    assert_eq!(answered("HTTP/1.1 404 Not Found\r\n\r\n<html>"), Ok(Page::Nothing(404)));
}

#[test]
fn what_is_too_much_or_no_answer_is_refused() {
    let kind = |answer: &str| answered(answer).unwrap_err().kind;
    let long = "x".repeat(1_001);
    assert_eq!(kind("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), NetErrorKind::Limit);
    assert_eq!(kind(&format!("HTTP/1.1 200 OK\r\n\r\n{long}\n")), NetErrorKind::Limit);
    let chunks = "200\r\n".to_owned() + &"x".repeat(512) + "\r\n200\r\n" + &"x".repeat(512) + "\r\n0\r\n\r\n";
    assert_eq!(kind(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")), NetErrorKind::Limit);
    assert_eq!(kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"), NetErrorKind::Limit);
    assert_eq!(kind(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-A: b\r\n".repeat(200))), NetErrorKind::Limit);
    assert_eq!(kind(&format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(40_000))), NetErrorKind::Limit);
    for odd in [
        "220 mail.work.test ESMTP\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ] {
        assert_eq!(kind(odd), NetErrorKind::Protocol, "{odd}");
    }
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    assert_eq!(kind(cut), NetErrorKind::Io(ErrorKind::UnexpectedEof));
}

/// T-14: from https it goes on by https alone, to named hosts at the one port.
#[test]
fn t_14_no_redirect_leads_away_from_https() {
    let moved = |to: &str| answered(&format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    for to in [
        "http://autoconfig.work.test/mail/config-v1.1.xml",
        "http://work.test",
        "HTTP://work.test/",
        "ftp://work.test/x",
        "https://work.test:8443/",
        "https://ann@work.test/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https:///etc/passwd",
        "https://work.test/a b",
        "javascript:1",
        "relative",
        "",
    ] {
        assert_eq!(moved(to).unwrap_err().kind, NetErrorKind::Protocol, "{to}");
    }
    let to = |host: &str, path: &str| Ok(Page::Moved(Url::new(host, path).unwrap()));
    assert_eq!(moved("https://Other.test/a?b=c#d"), to("other.test", "/a?b=c"));
    assert_eq!(moved("https://other.test:443"), to("other.test", "/"));
    assert_eq!(moved("https://other.test?x"), to("other.test", "/?x"));
    assert_eq!(moved("//other.test/x"), to("other.test", "/x"));
    assert_eq!(moved("/x"), to(HOST, "/x"));
}

/// Whoever is not proven to be the host is told nothing, not even which file is wanted.
#[test]
fn t_14_another_host_hears_nothing() {
    let served = serve("www.work.test", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(served.page.unwrap_err().kind, NetErrorKind::Tls(TlsReason::WrongHost));
    assert_eq!(served.heard, "");
}
