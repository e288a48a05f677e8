//! tests — the editor against a naive model, and what a person does in it.
//! Owns: nothing. May import: app::editor.

use super::*;
use proptest::prelude::*;

fn press(editor: &mut Editor, keys: &str) {
    for key in keys.split(' ') {
        editor.key(Key::parse(key).unwrap());
    }
}

fn typed(editor: &mut Editor, text: &str) {
    for c in text.chars() {
        editor.key(if c == '\n' { Key::plain(Code::Enter) } else { Key::char(c) });
    }
}

#[test]
fn writing_and_taking_back_by_words() {
    let mut e = Editor::new("");
    typed(&mut e, "Dear Ann,\none two");
    assert_eq!(e.text(), "Dear Ann,\none two");
    e.undo();
    assert_eq!(e.text(), "Dear Ann,\none ");
    e.undo();
    e.undo();
    assert_eq!(e.text(), "Dear Ann,");
    e.redo();
    e.redo();
    assert_eq!(e.text(), "Dear Ann,\none ");
    typed(&mut e, "x");
    assert_eq!(e.redo(), Did::Nothing, "a new change forgets what was taken back");
    press(&mut e, "Backspace Backspace Backspace");
    e.undo();
    assert_eq!(e.text(), "Dear Ann,\none x");
}

#[test]
fn selecting_cutting_and_putting_in() {
    let mut e = Editor::new("one two three");
    press(&mut e, "C-Right S-Right S-Right S-Right S-Right");
    assert_eq!(e.copy(), Some(" two"));
    assert_eq!(e.cut(), Did::Changed);
    assert_eq!(e.text(), "one three");
    press(&mut e, "End");
    e.paste_clip();
    assert_eq!(e.text(), "one three two");
    e.select_all();
    typed(&mut e, "x");
    assert_eq!(e.text(), "x");
    e.undo();
    assert_eq!(e.text(), "one three two");
    press(&mut e, "Home C-k");
    assert_eq!((e.text().as_str(), e.clip()), ("", "one three two"));
    e.paste_clip();
    e.paste_clip();
    assert_eq!(e.text(), "one three twoone three two");
}

#[test]
fn pasted_text_is_made_safe_and_is_one_step() {
    let mut e = Editor::new("");
    e.insert("a\r\nb\rc\u{1b}[2J\td\u{202e}");
    let text = e.text();
    assert!(text.starts_with("a\nb\nc") && text.contains("\td"), "{text:?}");
    assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{text:?}");
    e.undo();
    assert_eq!(e.text(), "");
}

#[test]
fn up_and_down_keep_their_column_through_short_and_wide_lines() {
    let mut e = Editor::new("abcdefgh\nx\n日本語日本\nabcdefgh");
    e.set_size(20, 3);
    press(&mut e, "Right Right Right Right Right Down");
    assert_eq!(e.cursor(), Pos { line: 1, byte: 1 });
    press(&mut e, "Down");
    assert_eq!(e.cursor(), Pos { line: 2, byte: 6 }, "column 5 is inside of the third");
    press(&mut e, "Down");
    assert_eq!(e.cursor(), Pos { line: 3, byte: 5 });
    assert_eq!(e.caret(), Some((2, 5)));
    press(&mut e, "Down");
    assert_eq!(e.cursor(), e.buffer().end(), "down in the last row goes to the end");
}

#[test]
fn marks_and_joined_emoji_are_one_step_of_the_cursor() {
    let mut e = Editor::new("");
    typed(&mut e, "e\u{301}👩\u{200d}🔬!");
    press(&mut e, "Left Left");
    assert_eq!(e.cursor().byte, "e\u{301}".len());
    press(&mut e, "Backspace");
    assert_eq!(e.text(), "👩\u{200d}🔬!");
}

#[test]
fn the_cursor_is_seen_wherever_it_goes() {
    let lines: Vec<String> = (0..100).map(|n| format!("line {n} {}", "word ".repeat(n % 30))).collect();
    let mut e = Editor::new(&lines.join("\n"));
    e.set_size(30, 7);
    for keys in ["PageDown", "PageDown", "Down", "C-End", "PageUp", "Up", "C-Home", "End", "Down"] {
        press(&mut e, keys);
        assert!(e.caret().is_some(), "after {keys}");
    }
    e.scroll(20);
    assert!(e.caret().is_some());
    e.point(3, 4);
    assert_eq!(e.caret(), Some((3, 4)));
}

#[test]
fn a_paragraph_is_laid_out_anew_and_can_be_taken_back() {
    let mut e = Editor::new("> a\n> b\n\nnew");
    assert_eq!(e.reflow(), Did::Changed);
    assert_eq!(e.text(), "> a b\n\nnew");
    e.undo();
    assert_eq!(e.text(), "> a\n> b\n\nnew");
}

#[test]
fn an_outside_editor_is_one_step() {
    let mut e = Editor::new("one\ntwo");
    press(&mut e, "Down");
    assert_eq!(e.set_text("one\ntwo\nthree\r\n"), Did::Changed);
    assert_eq!((e.text().as_str(), e.cursor().line), ("one\ntwo\nthree\n", 1));
    e.undo();
    assert_eq!(e.text(), "one\ntwo");
    assert_eq!(e.set_text("one\ntwo"), Did::Moved);
}

/// A key in a megabyte of text must not be felt: far below a frame even in a debug build.
#[test]
fn a_megabyte_is_no_burden() {
    let mut e = Editor::new(&"The quick brown fox jumps over the lazy dog, again and again.\n".repeat(17_000));
    e.set_size(72, 50);
    press(&mut e, "C-End");
    let start = crate::base::clock::spent();
    for _ in 0..50 {
        typed(&mut e, "x");
        press(&mut e, "Enter Up PageUp End PageDown");
        assert!(e.caret().is_some() && !e.rows().is_empty());
    }
    let took = crate::base::clock::spent() - start;
    assert!(took.as_millis() < 3_000, "{took:?} for 300 keys");
}

/// The text as one string and the cursor as an offset in it.
struct Naive {
    text: String,
    at: usize,
}

impl Naive {
    fn key(&mut self, key: &str) {
        use unicode_segmentation::UnicodeSegmentation as _;
        // Lines are edited one by one: clusters never reach over a line end.
        let edges: Vec<usize> = {
            let mut edges = vec![];
            let mut start = 0;
            for line in self.text.split('\n') {
                edges.extend(line.grapheme_indices(true).map(|(n, _)| start + n));
                edges.push(start + line.len());
                start += line.len() + 1;
            }
            edges
        };
        let left = edges.iter().rev().find(|e| **e < self.at).copied().unwrap_or(0);
        let right = edges.iter().find(|e| **e > self.at).copied().unwrap_or(self.text.len());
        match key {
            "Left" => self.at = left,
            "Right" => self.at = right,
            "Backspace" => {
                self.text.replace_range(left..self.at, "");
                self.at = left;
            }
            "Delete" => self.text.replace_range(self.at..right, ""),
            "Enter" => self.insert("\n"),
            "Space" => self.insert(" "),
            letter => self.insert(letter),
        }
    }

    fn insert(&mut self, text: &str) {
        self.text.insert_str(self.at, text);
        self.at += text.len();
    }
}

fn offset(e: &Editor) -> usize {
    let above: usize = e.buffer().lines().iter().take(e.cursor().line).map(|l| l.len() + 1).sum();
    above + e.cursor().byte
}

proptest! {
    #[test]
    fn it_does_what_a_naive_one_does(keys in proptest::collection::vec(0usize..10, 0..80), text in "[a-c 日é\\n]{0,40}") {
        const NAMES: [&str; 10] = ["a", "語", "Space", "Enter", "Backspace", "Delete", "Left", "Right", "Backspace", "ß"];
        let mut e = Editor::new(&text);
        e.set_size(7, 4);
        let mut naive = Naive { text, at: 0 };
        for k in keys {
            press(&mut e, NAMES[k]);
            naive.key(NAMES[k]);
            prop_assert_eq!(e.text(), naive.text.clone());
            prop_assert_eq!(offset(&e), naive.at);
        }
    }

    #[test]
    fn all_can_be_taken_back_and_done_again(keys in proptest::collection::vec((0usize..22, "[a-b\\n ]{0,3}"), 0..60), text in "[a-c 日👩\\u{200d}🔬e\\u{301}\\n>]{0,60}") {
        const NAMES: [&str; 16] = ["a", "x", "Space", "Enter", "Backspace", "Delete", "C-w", "C-k", "C-u", "S-Left", "S-Down", "Up", "C-Right", "End", "\u{301}", "M-d"];
        let mut e = Editor::new(&text);
        e.set_size(9, 4);
        let start = e.text();
        for (k, text) in &keys {
            match *k {
                16 => { e.insert(text); }
                17 => { e.cut(); }
                18 => { e.paste_clip(); }
                19 => { e.reflow(); }
                20 => { e.undo(); }
                21 => { e.redo(); }
                k => { e.key(NAMES[k].parse::<char>().map_or_else(|_| Key::parse(NAMES[k]).unwrap(), Key::char)); }
            }
            let at = e.cursor();
            prop_assert_eq!(e.buffer().snap(at), at, "the cursor is between two characters");
            prop_assert!(e.caret().is_some(), "and seen");
        }
        let end = e.text();
        let mut steps = 0;
        while e.undo() == Did::Changed { steps += 1; }
        prop_assert_eq!(e.text(), start);
        for _ in 0..steps { e.redo(); }
        while e.redo() == Did::Changed {}
        prop_assert!(e.text() == end || keys.iter().any(|(k, _)| *k == 20));
    }
}
