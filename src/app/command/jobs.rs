//! jobs — what can be done with what runs.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

pub(super) const ROWS: &[CommandSpec] = &[CommandSpec {
    keys: &[(Pane::Jobs, "x"), (Pane::Jobs, "Enter"), (Pane::Jobs, "d")],
    help: "It ends within a second; what it did stays. `refresh` lets it go on.",
    ..CommandSpec::new("stop-job", Group::Program, "stop", "Stop what runs here")
}];
