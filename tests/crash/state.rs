//! state — what is left of a day on both sides, read straight from the files, and what makes time pass there.
//! Start reading at: `Day::cached`.

use super::day::{Day, HOLD, Kind, Run, binary, maildir_of};
use super::mailhost;
use postrider::store::{Store, journal, overlay};
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

impl Day {
    pub fn me(&self) -> &str {
        &self.me
    }

    /// A verb of the person's; `mailbox:n` stands for the number of the mail `n` there, `mailbox:n*` for all that are there of it.
    pub fn act(&self, verb: &[&str]) -> Run {
        let numbers = |word: &str| -> Vec<String> {
            let Some((mailbox, n)) = word.split_once(':') else { return vec![word.to_owned()] };
            if mailbox == "file" {
                return vec![self.file(n)];
            }
            let rows = self.json(&["list", mailbox]);
            let id = format!("{}@example.org", n.trim_end_matches('*'));
            let like = rows.as_array().unwrap().iter().filter(|row| row["message_id"] == id.as_str());
            let all: Vec<String> =
                like.take(if n.ends_with('*') { usize::MAX } else { 1 }).map(|r| r["id"].to_string()).collect();
            assert!(!all.is_empty(), "{n} is not in {mailbox}: {rows}");
            all
        };
        Run { args: verb.iter().flat_map(|word| numbers(word)).collect(), input: String::new() }
    }

    /// A file with the mail `n`.
    fn file(&self, n: &str) -> String {
        let path = self.dir.path().join(format!("{n}.eml"));
        let text = format!("Subject: Mail {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\nThis is mail {n}.\r\n");
        fs::write(&path, text).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What a start of the reader does before there is a network: the journal is laid over what the server had confirmed.
    pub fn replay(&self) {
        let store = Store::open(&self.home().join("data"), Arc::new(|_| {})).unwrap();
        let pending = store.read_state(|db| journal::pending(db, None)).unwrap();
        store.cache(move |tx| overlay::rebuild(tx, &pending)).unwrap();
    }

    /// Deletes what the server can give again.
    pub fn lose_cache(&self) {
        let data = self.home().join("data");
        fs::remove_file(data.join("cache.sqlite")).unwrap();
        // Whoever died early has not made them yet.
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(data.join(format!("cache.sqlite{end}")));
        }
        let _ = fs::remove_dir_all(data.join("blobs"));
    }

    /// Runs it whole: how many durable steps that are.
    pub fn steps(&self, run: &Run) -> u64 {
        let log = self.dir.path().join("steps");
        let _ = fs::remove_file(&log);
        let mut command = Command::new(binary());
        command.arg("--profile").arg(self.home()).args(&run.args).env("POSTRIDER_CRASH_LOG", &log);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        u64::try_from(fs::read_to_string(&log).unwrap().lines().count()).unwrap()
    }

    /// One more pass finds nothing and tells nothing.
    pub fn rests(&self) {
        let said = self.json(&["sync"]);
        for account in said["accounts"].as_array().unwrap() {
            assert_eq!(account["pushed"], 0, "{said}");
            for mailbox in account["mailboxes"].as_array().unwrap() {
                assert_eq!(
                    (&mailbox["new"], &mailbox["changed"], &mailbox["vanished"]),
                    (&0.into(), &0.into(), &0.into()),
                    "{said}"
                );
            }
        }
    }

    /// All that the cache shows: mailboxes, and messages with their flags.
    pub fn cached(&self) -> Vec<String> {
        let cache = rusqlite::Connection::open(self.home().join("data/cache.sqlite")).unwrap();
        let sql = "SELECT b.path || ' ' || b.subscribed || ' ' || coalesce(m.message_id || ' ' || p.flags || ' ' || p.words, '')
                   FROM mailbox b LEFT JOIN placement p ON p.mailbox = b.id AND p.hidden = 0 LEFT JOIN message m ON m.id = p.message
                   WHERE b.dying = 0 ORDER BY 1";
        let mut rows = cache.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// How many operations are left, but those that did all that a server without UIDPLUS lets them do.
    pub fn pending(&self) -> i64 {
        let state = rusqlite::Connection::open(self.home().join("data/state.sqlite")).unwrap();
        let sql = "SELECT count(*) FROM operation WHERE state NOT IN ('settled', 'moot', 'withdrawn', 'hidden')";
        state.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What the journal still has, for a message.
    pub fn left(&self) -> Vec<String> {
        self.json(&["queue"]).as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    /// The server numbers a mailbox anew: another UIDVALIDITY, other UIDs.
    pub fn renumber(&self, folder: &str) {
        let folder = self.folder(folder);
        let list = folder.join("dovecot-uidlist");
        let text = fs::read_to_string(&list).unwrap();
        let (head, rows) = text.split_once('\n').unwrap();
        let shift = |word: &str, by: u64| (word.parse::<u64>().unwrap() + by).to_string();
        let head: Vec<String> = head
            .split(' ')
            .map(|word| match word.split_at(1) {
                ("V", n) => format!("V{}", shift(n, 1_000)),
                ("N", n) => format!("N{}", shift(n, 50)),
                _ => word.to_owned(),
            })
            .collect();
        let rows: String = rows
            .lines()
            .map(|row| {
                let (uid, rest) = row.split_once(' ').unwrap();
                format!("{} {rest}\n", shift(uid, 50))
            })
            .collect();
        fs::write(&list, format!("{}\n{rows}", head.join(" "))).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("dovecot.index") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Waits until a mail that was accepted lies with its recipient.
    pub fn wait_for_arrival(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.arrived() == 0 {
            assert!(Instant::now() < end, "it did not arrive");
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.kind != Kind::Local {
            mailhost::delivered();
        }
    }

    fn arrived(&self) -> usize {
        let maildir = if self.kind == Kind::Local { self.folder("INBOX") } else { maildir_of(&self.sink) };
        let mut all = Vec::new();
        self.look(&maildir, "", &mut all);
        all.iter().filter(|(_, id, _)| id == "<sent@example.org>").count()
    }

    /// How many operations are left.
    pub fn queue(&self) -> usize {
        self.json(&["queue"]).as_array().unwrap().len()
    }

    /// How many mails are not sent.
    pub fn outbox(&self) -> usize {
        self.json(&["outbox"]).as_array().unwrap().len()
    }

    /// A mail whose outcome is not known is never sent again unasked: the person looks whether it arrived, and says so.
    pub fn settle_unknown(&self) {
        for mail in self.json(&["outbox"]).as_array().unwrap() {
            assert_eq!(mail["state"], "unknown", "{mail}");
            if self.kind != Kind::Local {
                mailhost::delivered();
            }
            let arrived = self.arrived();
            assert!(arrived <= 1, "sent twice: {mail}");
            let verb = if arrived == 1 { "mark-sent" } else { "resend" };
            assert_eq!(self.run(&Run::of(&["outbox", verb, &mail["id"].to_string()]), None), 0, "{}", self.said());
            assert_eq!(self.run(&Run::of(&["sync"]), None), 0, "{}", self.said());
        }
    }

    /// Lets the time pass in which what is final can be taken back.
    pub fn let_holds_pass(&self) {
        let file = self.home().join("data/state.sqlite");
        let state = rusqlite::Connection::open(file).unwrap();
        state.execute("UPDATE operation SET not_before = not_before - ?1 WHERE not_before > 0", [HOLD]).unwrap();
    }
}
