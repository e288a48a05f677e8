//! words — how text is cut into what search compares: the same way for the index, the query and the reference evaluator.
//! Owns: `words`, `index_text`, `fold`.
//! May import: base.
//! Start reading at: `index_text`. SQLite's `unicode61` finds no word inside a run of Chinese, Japanese or Thai, so such runs
//! become overlapping pairs (decisions 16).

/// Base letters and what is compared as if it were them.
const FOLDED: [(char, &str); 25] = [
    ('a', "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
    ('b', "ḃḅḇ"),
    ('c', "çćĉċčḉ"),
    ('d', "ďḋḍḏḑḓđ"),
    ('e', "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ('f', "ḟ"),
    ('g', "ĝğġģǧǵḡ"),
    ('h', "ĥȟḣḥḧḩḫẖħ"),
    ('i', "ìíîïĩīĭįǐȉȋḭḯỉịı"),
    ('j', "ĵǰ"),
    ('k', "ķǩḱḳḵ"),
    ('l', "ĺļľḷḹḻḽł"),
    ('m', "ḿṁṃ"),
    ('n', "ñńņňǹṅṇṉṋ"),
    ('o', "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợø"),
    ('p', "ṕṗ"),
    ('r', "ŕŗřȑȓṙṛṝṟ"),
    ('s', "śŝşšșṡṣṥṧṩ"),
    ('t', "ţťțṫṭṯṱẗŧ"),
    ('u', "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ('v', "ṽṿ"),
    ('w', "ŵẁẃẅẇẉẘ"),
    ('x', "ẋẍ"),
    ('y', "ýÿŷȳẏẙỳỵỷỹ"),
    ('z', "źżžẑẓẕ"),
];

/// One character as it is compared: lower case, without marks. Nothing for a combining mark.
fn plain(c: char, out: &mut String) {
    match c {
        'a'..='z' | '0'..='9' => out.push(c),
        'A'..='Z' => out.push(c.to_ascii_lowercase()),
        '\u{300}'..='\u{36f}' => {}
        _ => {
            for low in c.to_lowercase().filter(|l| !matches!(l, '\u{300}'..='\u{36f}')) {
                out.push(FOLDED.iter().find(|(_, all)| all.contains(low)).map_or(low, |(base, _)| *base));
            }
        }
    }
}

/// The text in lower case and without diacritics.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| plain(c, &mut out));
    out
}

/// Whether `c` belongs to a script that writes no spaces between words.
#[must_use]
pub fn unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// The words of `text`, folded. A run of an unspaced script becomes its overlapping pairs; a run of one character is itself.
/// For queries: all of them, in this order and side by side, are what the text says.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    cut(text, false)
}

/// What the index is fed for `text`: its words divided by spaces. An unspaced run ends in its last character alone, so that
/// one character is found wherever it stands (as the beginning of a pair or as this one).
#[must_use]
pub fn index_text(text: &str) -> String {
    cut(text, true).join(" ")
}

pub(super) fn cut(text: &str, tails: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    // The end is a separator too.
    for c in text.chars().chain(std::iter::once(' ')) {
        let loose = unspaced(c) && (c.is_alphanumeric() || !run.is_empty());
        if !run.is_empty() && !loose {
            for pair in run.windows(2) {
                out.push(pair.iter().collect());
            }
            if let (Some(last), true) = (run.last(), tails || run.len() == 1) {
                out.push(last.to_string());
            }
            run.clear();
        }
        if loose {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            run.push(c);
        } else if c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}') {
            plain(c, &mut word);
        } else if !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_runs_are_paired() {
        assert_eq!(words("Café-Straße №5, ÉTÉ"), ["cafe", "straße", "5", "ete"]);
        assert_eq!(fold("Ærø Łódź Việt I\u{307}"), "æro lodz viet i");
        assert_eq!(words("東京都の1月"), ["東京", "京都", "都の", "1", "月"]);
        assert_eq!(index_text("東京 abc"), "東京 京 abc");
        assert_eq!(words("สวัสดี"), ["สว", "วั", "ัส", "สด", "ดี"]);
        assert_eq!(words("안녕 세계"), ["안녕", "세계"]);
        assert_eq!(words(" -!?"), Vec::<String>::new());
    }
}
