//! reading — what can be done with the open message beside filing it: its forms, its links, its files, a word in it.
//! Owns: `Over`, `Places`, the reader's commands. May import: engine::api, mail, base.
//! Start reading at: `App::reader_command`. A link is opened only after its whole address was shown, and a file that could run as a
//! program only by hand, after it was saved (security M-32, M-42).

use super::command;
use super::input::Line;
use super::key::{Code, Key};
use super::msg::{Effect, Note};
use super::popup::{Popup, chooser_key, is_no, is_yes};
use super::screen::chooser::{Choice, Chooser};
use super::state::App;
use super::words;
use crate::base::paths;
use crate::base::safetext::SafeText;
use crate::engine::api::{Done, Piece, Request};
use crate::mail::body::{Attachment, PartIndex};
use crate::mail::ids::PlacementKey;
use crate::mail::links::{Link, LinkKind};
use crate::mail::{filename, parse};
use std::path::PathBuf;

/// The most of an attachment that is looked at to tell whether it is a program, in bytes.
const SNIFF: usize = 4_096;

/// Where files of messages go.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What is offered as the folder to save in.
    pub save: String,
    /// Where relative folders start.
    pub home: PathBuf,
    /// A private folder for files that are opened; none if nothing can be opened.
    pub open: Option<PathBuf>,
}

/// What lies over the open message.
#[derive(Debug)]
pub enum Over {
    /// Its links.
    Links(Chooser<Link>),
    /// A link that leads elsewhere than it says: open it?
    Doubtful(Link),
    /// Its files, to open one.
    Open(Chooser<PartIndex>),
    /// Its files, to save them.
    Save(Chooser<Vec<PartIndex>>),
    /// The folder to save in.
    Folder(Line, Vec<PartIndex>),
    /// The command that is to get the message.
    Pipe(Line),
}

impl App {
    /// Says where files of messages go.
    pub fn set_places(&mut self, places: Places) {
        self.places = places;
    }

    /// Runs a command of the open message; `false` if it is none.
    pub(super) fn reader_command(&mut self, id: &str, arg: &str) -> bool {
        if !matches!(
            id,
            "read-on"
                | "html"
                | "headers"
                | "source"
                | "quotes"
                | "links"
                | "find"
                | "open-attachment"
                | "save-attachments"
                | "pipe"
        ) {
            return false;
        }
        if self.viewer.page().is_none() && id != "read-on" && !(id == "source" && self.viewer.form().source) {
            self.status.doubt(self.now.since, "The text of this message is not here");
            return true;
        }
        match id {
            "read-on" => {
                if !self.viewer.page_by(true, false) {
                    self.next_unread(true);
                }
            }
            "html" => {
                if !self.viewer.switch() {
                    self.status.doubt(self.now.since, "This message has only one form");
                }
            }
            "headers" => self.viewer.toggle_headers(),
            "source" => {
                self.viewer.toggle_source();
                self.want_source();
            }
            "quotes" => {
                if !self.viewer.toggle_quotes() {
                    self.status.doubt(self.now.since, "Nothing is folded here");
                }
            }
            "links" => self.choose_link(),
            "find" => self.viewer.begin_find(),
            "pipe" if arg.is_empty() => self.popup = Some(Popup::Reading(Over::Pipe(Line::new(&self.piped)))),
            "pipe" => self.pipe(arg),
            "open-attachment" => self.choose_file(),
            _ if arg.is_empty() => self.choose_files(),
            _ => self.save(&self.all_files(), arg),
        }
        true
    }

    /// Hands the message as it came to a command of the shell.
    fn pipe(&mut self, command: &str) {
        let Some(body) = self.viewer.body() else { return };
        if !body.whole {
            return self.status.doubt(self.now.since, "Not all of this message is on this machine");
        }
        let bytes = body.raw.to_vec();
        command.trim().clone_into(&mut self.piped);
        if !self.piped.is_empty() {
            self.out.push(Effect::Pipe(self.piped.clone(), bytes));
        }
    }

    /// The source is shown of the whole message: where only parts are here, the rest is asked for.
    fn want_source(&mut self) {
        let partly = self.viewer.body().is_some_and(|message| !message.whole);
        if let (true, true, Some(message)) = (self.viewer.form().source, partly, self.viewer.id()) {
            self.request(Request::FetchPart { message, piece: Piece::Whole }, Note::Silent);
        }
    }

    fn all_files(&self) -> Vec<PartIndex> {
        self.viewer.files().iter().map(|a| a.part).collect()
    }

    fn choose_link(&mut self) {
        let choices: Vec<_> = self.viewer.links().iter().map(link_choice).collect();
        if choices.is_empty() {
            return self.status.doubt(self.now.since, "There are no links in this message");
        }
        self.popup = Some(Popup::Reading(Over::Links(Chooser::new("Open", choices))));
    }

    /// Opens a link, or what is allowed instead.
    fn follow(&mut self, link: &Link, sure: bool) {
        match link.kind {
            LinkKind::Web if link.lies && !sure => self.popup = Some(Popup::Reading(Over::Doubtful(link.clone()))),
            LinkKind::Web => {
                self.out.push(Effect::OpenLink(link.url.clone()));
                self.status.say(self.now.since, SafeText::line_max(&format!("opening {}", link.host), 200), None);
            }
            LinkKind::Mail => {
                if let Some(spec) = command::find("compose") {
                    self.run(spec, &link.url);
                }
            }
            LinkKind::Other => {
                self.copy_link(link);
                self.status.doubt(self.now.since, "Only Web and mail addresses are opened; this one is on the clipboard");
            }
        }
    }

    fn copy_link(&mut self, link: &Link) {
        self.out.push(Effect::Copy(SafeText::line(&link.url)));
        self.status.say(self.now.since, SafeText::of("The address is on the clipboard"), None);
    }

    fn choose_file(&mut self) {
        let files = self.viewer.files();
        match files.as_slice() {
            [] => self.status.doubt(self.now.since, "There are no attachments"),
            [only] => {
                let part = only.part;
                self.open_file(part);
            }
            many => {
                let choices = many.iter().map(|a| file_choice(a, a.part)).collect();
                self.popup = Some(Popup::Reading(Over::Open(Chooser::new("Open", choices))));
            }
        }
    }

    fn choose_files(&mut self) {
        let files = self.viewer.files();
        match files.as_slice() {
            [] => self.status.doubt(self.now.since, "There are no attachments"),
            [only] => {
                let parts = vec![only.part];
                self.ask_folder(parts);
            }
            many => {
                let mut choices: Vec<_> = many.iter().map(|a| file_choice(a, vec![a.part])).collect();
                choices.insert(
                    0,
                    Choice {
                        value: many.iter().map(|a| a.part).collect(),
                        label: SafeText::line(&format!("all {} files", many.len())),
                        note: SafeText::line(&words::size(many.iter().map(|a| a.size).sum())),
                        key: String::new(),
                        disabled: None,
                    },
                );
                self.popup = Some(Popup::Reading(Over::Save(Chooser::new("Save", choices))));
            }
        }
    }

    fn ask_folder(&mut self, parts: Vec<PartIndex>) {
        self.popup = Some(Popup::Reading(Over::Folder(Line::new(&self.places.save), parts)));
    }

    fn save(&mut self, parts: &[PartIndex], folder: &str) {
        let Some(message) = self.viewer.id() else { return };
        let folder = paths::expand(folder.trim(), &self.places.home);
        let files: Vec<Attachment> = self.viewer.files().into_iter().filter(|a| parts.contains(&a.part)).cloned().collect();
        for file in files {
            self.say_fetching(&file);
            let (part, name, folder) = (file.path, file.safe_name, folder.clone());
            self.request(Request::SavePart { message, part, folder, name, to_open: false }, Note::Saved);
        }
    }

    /// A file that is on the server only comes first.
    fn say_fetching(&mut self, file: &Attachment) {
        if !file.here {
            let text = format!("fetching {} ({})", file.safe_name, words::size(file.size));
            self.status.say(self.now.since, SafeText::line_max(&text, 200), None);
        }
    }

    fn open_file(&mut self, part: PartIndex) {
        let (Some(message), Some(body)) = (self.viewer.id(), self.viewer.body()) else { return };
        let Some(file) = self.viewer.files().into_iter().find(|a| a.part == part).cloned() else { return };
        let head = body.parts.get(part).map(|p| parse::head(body, p, SNIFF)).unwrap_or_default();
        let save = self.keys.key_for(self.pane(), "save-attachments").unwrap_or_default();
        if filename::runs(&file.safe_name, &file.mime, &head) {
            let text = format!("{} could run as a program: it is only saved, with {save}", file.safe_name);
            return self.status.doubt(self.now.since, &text);
        }
        match self.places.open.clone() {
            Some(folder) => {
                self.say_fetching(&file);
                let (part, name) = (file.path, file.safe_name);
                self.request(Request::SavePart { message, part, folder, name, to_open: true }, Note::Open(message));
            }
            None => self.status.doubt(self.now.since, &format!("Nothing can be opened here; {save} saves it")),
        }
    }

    /// A file that was to be saved, or to be opened from the message `from`, is here, or was asked for.
    pub(super) fn file_came(&mut self, from: Option<PlacementKey>, done: &Done) {
        let now = self.now.since;
        let open = self.keys.key_for(command::Pane::Reader, "open-attachment").unwrap_or_default();
        match (from, &done.path) {
            (None, None) if done.later => {
                self.status.say(now, SafeText::of("it is saved as soon as there is a connection"), None)
            }
            (Some(_), None) if done.later => {
                let text = format!("it is asked for and comes with the next connection: {open} opens it then");
                self.status.say(now, SafeText::line_max(&text, 200), None);
            }
            (_, None) => {}
            (Some(from), Some(path)) if self.viewer.id() == Some(from) => {
                self.status.say(now, SafeText::line_max(&format!("saved {}", path.display()), 300), None);
                self.out.push(Effect::OpenFile(path.clone()));
            }
            (from, Some(path)) => {
                // The person has moved on: a program that comes up now would steal the focus.
                let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
                let text =
                    if from.is_some() { format!("{name} is here: {open} opens it") } else { format!("saved {}", path.display()) };
                self.status.say(now, SafeText::line_max(&text, 300), None);
            }
        }
    }

    /// Keys while something lies over the open message.
    pub(super) fn over_key(&mut self, mut over: Over, key: Key) {
        let enter = key.code == Code::Enter;
        match &mut over {
            Over::Links(chooser) if enter || key == Key::ctrl('y') => {
                if let Some(link) = chooser.current().map(|c| c.value.clone()) {
                    if enter { self.follow(&link, false) } else { self.copy_link(&link) }
                }
                return;
            }
            Over::Links(chooser) => chooser_key(chooser, key),
            Over::Doubtful(link) if is_yes(key) => {
                self.follow(link, true);
                return;
            }
            Over::Doubtful(_) if is_no(key) => return,
            // What is no answer leaves the question standing.
            Over::Doubtful(_) => {}
            Over::Open(chooser) if enter => {
                if let Some(part) = chooser.current().map(|c| c.value) {
                    self.open_file(part);
                }
                return;
            }
            Over::Open(chooser) => chooser_key(chooser, key),
            Over::Save(chooser) if enter => {
                if let Some(parts) = chooser.current().map(|c| c.value.clone()) {
                    self.ask_folder(parts);
                }
                return;
            }
            Over::Save(chooser) => chooser_key(chooser, key),
            Over::Folder(line, parts) if enter => {
                let (folder, parts) = (line.take(), std::mem::take(parts));
                self.save(&parts, &folder);
                return;
            }
            Over::Pipe(line) if enter => {
                let command = line.take();
                return self.pipe(&command);
            }
            Over::Pipe(line) | Over::Folder(line, _) => {
                line.key(key);
            }
        }
        self.popup = Some(Popup::Reading(over));
    }

    /// Keys while a word is looked for; `false` for those that are about the text.
    pub(super) fn find_key(&mut self, key: Key) -> bool {
        let Some(find) = self.viewer.find_mut().filter(|f| f.editing) else { return false };
        match (key.code, key.ctrl) {
            (Code::Esc, _) | (Code::Char('c' | 'g'), true) => {
                self.viewer.end_find();
            }
            (Code::Enter, _) => {
                find.editing = false;
                if find.typed.is_empty() {
                    self.viewer.end_find();
                }
            }
            (Code::Up | Code::Down, _) => {
                self.viewer.step_hit(key.code == Code::Down);
            }
            _ => {
                if !find.typed.key(key) {
                    return false;
                }
                self.viewer.look();
            }
        }
        true
    }

    /// To the next place of the word that is looked for; `false` if none is.
    pub(super) fn next_hit(&mut self, forward: bool) -> bool {
        let Some(find) = self.viewer.find() else { return false };
        let typed = find.typed.text().to_owned();
        if !self.viewer.step_hit(forward) {
            self.status.doubt(self.now.since, &format!("“{typed}” is not in this message"));
        }
        true
    }
}

fn link_choice(link: &Link) -> Choice<Link> {
    let note = match link.kind {
        _ if link.lies => "leads elsewhere than it says",
        LinkKind::Other => "is copied, not opened",
        LinkKind::Web | LinkKind::Mail => "",
    };
    Choice {
        value: link.clone(),
        label: SafeText::line(&link.url),
        note: SafeText::of(note),
        key: link.number.to_string(),
        disabled: None,
    }
}

fn file_choice<T>(file: &Attachment, value: T) -> Choice<T> {
    Choice {
        value,
        label: SafeText::line_max(&file.safe_name, 120),
        note: SafeText::line_max(&format!("{}, {}", words::kind(&file.mime), words::size(file.size)), 80),
        key: String::new(),
        disabled: None,
    }
}
