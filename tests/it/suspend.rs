//! suspend — a machine that really sleeps: a virtual one, with a kernel of Debian's, the built program and nothing else, whose lines die
//! while it sleeps. Within ten seconds of waking what came meanwhile is seen.
//! Start reading at: the one test. `bash tests/run suspend` gets the machine (`tests/servers machine`; emulated, so that any computer
//! does) and runs it; where there is none the test says that it was left out. What the engine makes of the kernel's word alone is in
//! `wake.rs`, and that word in `src/engine/jolt.rs`.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Person, put};
use postrider::net::imap::ImapStore;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The issue's figure, from waking on, in seconds of the machine's own clock.
const SOON: f64 = 10.0;
/// So long it sleeps.
const ASLEEP: u32 = 30;
/// An emulated machine on a busy one takes its time to start.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the machine does: its own first process. It tells the program's events and its own sleep, each with the seconds since it
/// was started, those of sleep counted.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc p /proc
/bin/busybox mount -t sysfs s /sys
/bin/busybox mount -t devtmpfs d /dev
/bin/busybox --install -s /bin
export PATH=/bin
stty -echo
for round in 1 2 3; do for module in /modules/*.ko; do insmod $module 2>/dev/null; done; done
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2
at() { cut -d' ' -f1 /proc/uptime; }
echo enabled >/sys/class/tty/ttyS0/power/wakeup
nc -ll -p @PORT@ -e /forward </dev/null &
(postrider --profile /profile watch --json </dev/null 2>&1 | while read -r line; do echo "$(at) $line"; done) &
while read -r how; do
  [ "$how" != off ] || poweroff -f
  [ -n "$how" ] || continue
  echo 0 >/sys/class/rtc/rtc0/wakealarm
  echo +@ASLEEP@ >/sys/class/rtc/rtc0/wakealarm
  echo "$(at) asleep"
  echo $how >/sys/power/state
  echo "$(at) awake"
done
"#;

/// The kernel's modules for a network card.
const MODULES: [&str; 8] = [
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
];

/// A machine, until it is dropped.
struct Machine {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn only(dir: &Path, begins: &str) -> PathBuf {
    let found = std::fs::read_dir(dir).unwrap().flatten().find(|e| e.file_name().to_string_lossy().starts_with(begins));
    found.unwrap_or_else(|| panic!("no {begins} in {}", dir.display())).path()
}

/// Everything that the machine has: its files as the kernel wants them (an archive in the form "newc").
fn files(root: &Path, profile: &str, port: u16) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let to = |name: &str| {
        let path = dir.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let copy = |from: &Path, name: &str| {
        std::fs::copy(from, to(name)).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    };
    let script = |name: &str, text: &str| {
        std::fs::write(to(name), text).unwrap();
        std::fs::set_permissions(to(name), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    };
    let program = Path::new(env!("CARGO_BIN_EXE_postrider"));
    copy(&root.join("bin/busybox"), "bin/busybox");
    let stripped = Command::new("strip").arg("-o").arg(to("bin/postrider")).arg(program).status();
    assert!(stripped.unwrap().success());
    let needs = Command::new("ldd").arg(program).output().unwrap();
    for word in String::from_utf8(needs.stdout).unwrap().split_whitespace().filter(|w| w.starts_with('/')) {
        copy(Path::new(word), &word[1..]);
    }
    let kernel = only(&root.join("lib/modules"), "").join("kernel");
    for module in MODULES {
        let file = kernel.join(format!("{module}.ko"));
        copy(&file, &format!("modules/{}", file.file_name().unwrap().to_str().unwrap()));
    }
    copy(&host().dir.join("tls/ca.pem"), "profile/ca.pem");
    script("profile/config.toml", profile);
    script("forward", &format!("#!/bin/sh\nexec nc 10.0.2.2 {port}\n"));
    script("init", &INIT.replace("@PORT@", &port.to_string()).replace("@ASLEEP@", &ASLEEP.to_string()));
    let pack =
        format!("cd {0}/files && find . | {1}/bin/busybox cpio -o -H newc >{0}/archive", dir.path().display(), root.display());
    assert!(Command::new("sh").args(["-c", &pack]).stderr(Stdio::null()).status().unwrap().success());
    dir
}

impl Machine {
    fn start(root: &Path, archive: &Path) -> Self {
        let kernel = only(&root.join("boot"), "vmlinuz-");
        let libraries =
            ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map(|l| root.join(l).display().to_string()).join(":");
        let mut child = Command::new(root.join("usr/bin/qemu-system-x86_64"))
            .env("LD_LIBRARY_PATH", libraries)
            .args(["-accel", "tcg", "-cpu", "max", "-m", "768", "-nodefaults", "-no-user-config", "-no-reboot", "-nographic"])
            .args(["-serial", "stdio", "-netdev", "user,id=net,ipv6=off", "-device", "virtio-net-pci,netdev=net,romfile="])
            .args(["-append", "console=ttyS0 quiet panic=1 random.trust_cpu=on"])
            .args(
                ["qemu", "seabios"]
                    .into_iter()
                    .flat_map(|l| ["-L".to_owned(), root.join("usr/share").join(l).display().to_string()]),
            )
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(archive)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            out.split(b'\n').flatten().try_for_each(|l| tell.send(String::from_utf8_lossy(&l).into_owned()))
        });
        Self { child, lines }
    }

    fn say(&mut self, word: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{word}").unwrap();
    }

    /// Waits for a line with all of this; when it was said, by the machine's clock.
    fn hear(&self, patience: Duration, what: &[&str]) -> Option<f64> {
        let end = Instant::now() + patience;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            println!("{}", line.trim_end());
            if what.iter().all(|word| line.contains(word)) {
                return Some(line.split_whitespace().next().and_then(|at| at.parse().ok()).unwrap());
            }
        }
    }

    /// The same, where it has to come.
    fn says(&self, what: &[&str]) -> f64 {
        self.hear(PATIENCE, what).unwrap_or_else(|| panic!("the machine never said {what:?}"))
    }
}

/// The machine sleeps like this (a word of `/sys/power/state`), with lines that died before without a word, and wakes.
fn sleeps(machine: &mut Machine, proxy: &Proxy, other: &mut ImapStore, how: &str) {
    // It is told of news while its lines are well, and of none once they are dead: nobody tells it that they are.
    put(other, "INBOX", &format!("told-{how}"));
    machine.says(&["\"new\"", &format!("told-{how}")]);
    std::thread::sleep(Duration::from_secs(2));
    let before = proxy.connections();
    proxy.end_all(End::Silence);
    put(other, "INBOX", &format!("late-{how}"));
    let late = format!("late-{how}");
    let late = ["\"new\"", &late];
    assert_eq!(machine.hear(Duration::from_secs(12), &late), None, "{how}: its lines were not dead");
    machine.say(how);
    machine.says(&["asleep"]);
    if how == "freeze" {
        // The emulated alarm wakes nobody from this; somebody who types does.
        std::thread::sleep(Duration::from_secs(ASLEEP.into()));
        machine.say("\n");
    }
    let woke = machine.says(&["awake"]);
    let seen = machine.says(&late);
    println!("{how}: seen {:.2} s after waking, with {} new connections", seen - woke, proxy.connections() - before);
    assert!(seen - woke < SOON, "{how}: {:.2} s", seen - woke);
}

#[test]
fn what_came_while_the_machine_slept_is_seen_soon_after_it_wakes() {
    let Some(root) = std::env::var_os("POSTRIDER_TEST_MACHINE").map(PathBuf::from) else {
        println!("left out: no machine here that can be put to sleep");
        return;
    };
    let mut person = Person::new(user());
    let mut other = person.other();
    put(&mut other, "INBOX", "before");
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let ca = host().dir.join("tls/ca.pem");
    let profile = person.configuration().replace(ca.to_str().unwrap(), "/profile/ca.pem");
    let files = files(&root, &profile, proxy.port);
    let mut machine = Machine::start(&root, &files.path().join("archive"));
    machine.says(&["\"live\""]);
    machine.says(&["INBOX", "\"total\":1"]);
    // With its clocks stopped, and with clocks that go on (this machine's processor has nothing better).
    sleeps(&mut machine, &proxy, &mut other, "mem");
    sleeps(&mut machine, &proxy, &mut other, "freeze");
    machine.say("off");
}
