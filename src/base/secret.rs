//! secret — text that must not be seen: zeroed when dropped, with no `Debug`, `Display` or serde (security K-03).
//! Owns: `Secret`. May import: nothing of ours.
//! Start reading at: `Secret::expose`, the one way to the text; each call of it is a place to look at.

use zeroize::Zeroizing;

/// A password or token. It can be cloned (each copy is zeroed) and compared, never printed:
///
/// ```compile_fail
/// println!("{:?}", postrider::base::secret::Secret::new(String::from("hunter2")));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text; the caller's buffer becomes the secret's, so that no copy stays behind.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
