//! bench — what Postrider costs, measured: `cargo bench` for 100,000 messages, `cargo bench -- store 1000000` for another size.
//! Start reading at: `main`. Each figure is printed beside its bar (issue 2, design/performance.md); one over its bar makes the
//! run fail. Everything comes out of a seed (`corpus.rs`). `cargo bench -- program` runs the program against a real Dovecot
//! (`bash tests/setup mailhost` installs it), `-- sync` its first sync alone, `-- store` the store alone, `-- cost` what passes cost on the wire, `-- bodies`
//! all texts of 10,000 mails beside a bare read, `-- curve 1000000`
//! how costs grow with the size of the cache.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod bodies;
mod corpus;
mod cost;
mod curve;
mod first;
mod items;
#[path = "../mailhost/mod.rs"]
mod mailhost;
mod report;
mod screen;
mod server;
mod store;
mod whole;

use report::Report;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let part = args.first().map_or("all", String::as_str);
    let count: u32 = args.get(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let mut report = Report::default();
    match part {
        // A process of its own, so that its memory is nothing else's.
        "open" => return store::open_and_wait(&args[2]),
        "fill" => store::fill_only(count, &mut report),
        "store" => store::run(count, &mut report),
        "program" => whole::run(count, &mut report),
        "sync" => whole::syncs(count, &mut report),
        "bodies" => bodies::run(if args.len() > 1 { count } else { 10_000 }, &mut report),
        "cost" => cost::run(count, &mut report),
        "items" => items::run(if args.len() > 1 { count } else { 10_000 }, &mut report),
        "curve" => curve::run(count, &mut report),
        "all" => {
            store::run(count, &mut report);
            whole::run(count, &mut report);
        }
        other => panic!("no such part: {other}; there are: all, bodies, cost, curve, fill, items, program, store, sync"),
    }
    std::process::exit(report.end());
}
