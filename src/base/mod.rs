//! base — what any program needs.
//! Owns: the text boundary, the crash hook, and small tools that know nothing of mail.
//! May import: nothing of ours.   Never: a word about mail.
//! Start reading at: `safetext.rs`, the boundary that everything drawn has passed.
//! Tested by: unit and property tests beside the code.

pub mod backoff;
pub mod busy;
pub mod cancel;
pub mod child;
pub mod clock;
pub mod crash;
pub mod gate;
pub mod inbox;
pub mod log;
pub mod park;
pub mod paths;
pub mod safetext;
pub mod secret;
pub mod spawn;
pub mod waker;
pub mod width;
