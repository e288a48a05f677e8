//! search_tests — a search that goes on at the servers: one key, its state on the screen, and its end.
//! Owns: nothing. May import: ui.
//! Start reading at: `screens_of_a_search_at_the_server`.

use super::stage::Stage;
use super::tests::each_size;
use crate::engine::api::{Changes, Fault, Kind, News, Request, ServerSearch};

fn told(stage: &mut Stage, servers: ServerSearch) {
    stage.servers = Some(servers);
    stage.news(News { changes: Changes { found: true, ..Changes::default() }, ..News::default() });
}

#[test]
fn screens_of_a_search_at_the_server() {
    each_size("search-asking", |s| {
        s.press("/ \"re: Enter S");
        told(s, ServerSearch { asking: 1, found: 1, coming: 3, ..ServerSearch::default() });
    });
    each_size("search-nothing", |s| s.press("/ \"zebra Enter"));
    each_size("search-failed", |s| {
        s.press("/ \"re: Enter C-s");
        let faults = vec![Fault::new(Kind::Unreachable, "imap.example.net is not to be reached")];
        told(s, ServerSearch { faults, ..ServerSearch::default() });
    });
}

#[test]
fn a_key_that_would_be_typed_is_no_hint() {
    let mut s = Stage::new(120, 40);
    let last = |s: &mut Stage| s.text().trim_end().lines().last().unwrap_or_default().trim().to_owned();
    s.press("/ \"re:");
    assert_eq!(last(&mut s), "Enter to what was found  C-s asks the server  Esc leave");
    s.press("\"zebra");
    assert!(s.text().contains("C-s asks the server"), "{}", s.text());
    s.press("Enter");
    assert!(last(&mut s).contains("S server"), "{}", last(&mut s));
    s.press("Esc m");
    assert_eq!(last(&mut s), "Enter move  Up Down choose  Esc close");
    s.press("Esc g");
    assert!(last(&mut s).starts_with("Esc leave it"), "{}", last(&mut s));
}

#[test]
fn one_key_asks_the_servers_and_another_text_or_leaving_ends_it() {
    let mut s = Stage::new(120, 40);
    s.press("S");
    assert!(s.text().contains("there is no search here") && s.requests.iter().all(|r| !is_about_servers(r)));
    s.press("/ \"re: C-s");
    s.press("j");
    told(&mut s, ServerSearch { asking: 2, ..ServerSearch::default() });
    assert!(s.text().contains("asking…"), "{}", s.text());
    told(&mut s, ServerSearch { found: 2, cut: true, ..ServerSearch::default() });
    assert!(s.text().contains("2 by the server; it has more"), "{}", s.text());
    s.press("/ \"x");
    s.press("Esc");
    s.press("/ \"re: Enter S");
    s.press("Esc");
    let about: Vec<_> = s.requests.iter().filter(|r| is_about_servers(r)).cloned().collect();
    let ask = || Request::AskServers { text: "re:".to_owned() };
    assert_eq!(about, [ask(), Request::LeaveServers, ask(), Request::LeaveServers]);
}

fn is_about_servers(request: &Request) -> bool {
    matches!(request, Request::AskServers { .. } | Request::LeaveServers)
}
