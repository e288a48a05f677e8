//! check_files — our own files as steps of `doctor`.
//! Owns: `own_files`. May import: store, and the engine's own.
//! Start reading at: `own_files`.

use super::check::{Step, Verdict};
use super::fault::{Fault, Kind, Remedy};
use crate::base::safetext::SafeText;
use crate::store::{Places, health};
use std::path::Path;
use std::time::Instant;

/// Looks at the files of the profile whose data lie in `dir`: reads all of them, writes nothing.
#[must_use]
pub fn own_files(dir: &Path) -> Vec<Step> {
    let start = Instant::now();
    let found = health::examine(&Places { state: dir.to_owned(), cache: dir.to_owned() });
    let seconds = start.elapsed().as_secs_f64();
    let step = |finding: health::Finding| Step {
        name: "data",
        verdict: if finding.sound { Verdict::Ok } else { Verdict::Fail },
        what: SafeText::line_max(&finding.what, 500),
        fault: (!finding.sound).then(|| Fault::new(Kind::Store, &finding.what).remedied(Remedy::OpenLog)),
        seconds,
    };
    found.into_iter().map(step).collect()
}
