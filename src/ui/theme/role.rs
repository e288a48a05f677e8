//! role — everything that can look different: the closed list of names that a theme may style.
//! Owns: `Role`. May import: nothing of ours.
//! Start reading at: the table below. A role that a theme leaves out looks like the name without its last part, at last like `text`.

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a piece of the screen is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Role { $($(#[$doc])* $variant,)* }

        impl Role {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in a theme's `[style]`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

roles! {
    /// Plain text.
    Text = "text",
    /// What is said about the thing.
    Dim = "text.dim",
    /// The thing itself.
    Strong = "text.strong",
    /// The one accent.
    Accent = "text.accent",
    /// The heading of a group.
    Heading = "text.heading",
    /// Thin lines.
    Rule = "rule",
    /// The program's name.
    Title = "title",
    /// Where one is.
    TitlePlace = "title.place",
    /// Numbers beside it.
    TitleCount = "title.count",
    /// A key in a hint.
    HintKey = "hint.key",
    /// What it does.
    HintText = "hint.text",
    /// Connected.
    StateLive = "state.live",
    /// Not connected, and nothing wrong.
    StateIdle = "state.idle",
    /// Changes wait.
    StateWaiting = "state.waiting",
    /// Something is wrong.
    StateBad = "state.bad",
    /// The bar before the cursor's row.
    CursorBar = "cursor.bar",
    /// The band behind it.
    CursorBand = "cursor.band",
    /// A mailbox.
    Folder = "folder",
    /// ... with unread messages.
    FolderUnread = "folder.unread",
    /// ... that is open in the list.
    FolderOpen = "folder.open",
    /// Its count.
    FolderCount = "folder.count",
    /// A row of the list.
    List = "list",
    /// An unread one.
    ListUnread = "list.unread",
    /// The first words of the body.
    ListPreview = "list.preview",
    /// Date and size of the conversation.
    ListDate = "list.date",
    /// The mark of an unread one.
    ListDot = "list.dot",
    /// The star.
    ListStar = "list.star",
    /// The mark of attachments.
    ListAttachment = "list.attachment",
    /// The mark of danger.
    ListWarning = "list.warning",
    /// The mark of a chosen one.
    ListMarked = "list.marked",
    /// A word of the person's own on a message.
    ListTag = "list.tag",
    /// The body of a message.
    Reader = "reader",
    /// Its subject.
    ReaderSubject = "reader.subject",
    /// Who wrote it.
    ReaderName = "reader.name",
    /// The rest of the header block.
    ReaderMeta = "reader.meta",
    /// Quoted text.
    ReaderQuote = "reader.quote",
    /// Quoted in what is quoted.
    ReaderQuote2 = "reader.quote.2",
    /// The signature.
    ReaderSignature = "reader.signature",
    /// A link.
    ReaderLink = "reader.link",
    /// Its number.
    ReaderNumber = "reader.number",
    /// The line that stands for folded text.
    ReaderFold = "reader.fold",
    /// A heading inside the body.
    ReaderHeading = "reader.heading",
    /// Emphasis inside the body.
    ReaderEmphasis = "reader.emphasis",
    /// A place of the word that is looked for.
    ReaderHit = "reader.hit",
    /// ... the one that is looked at.
    ReaderHitHere = "reader.hit.here",
    /// Code inside the body.
    ReaderCode = "reader.code",
    /// An added line of a patch.
    DiffAdd = "diff.add",
    /// A removed line.
    DiffRemove = "diff.remove",
    /// The place of a change.
    DiffHunk = "diff.hunk",
    /// Somebody vouches for it.
    TrustGood = "trust.good",
    /// Danger.
    TrustBad = "trust.bad",
    /// A list over the screen.
    Popup = "popup",
    /// The letters that matched.
    PopupMatch = "popup.match",
    /// What cannot be chosen, and notes.
    PopupDim = "popup.dim",
    /// The chosen row.
    PopupCursor = "popup.cursor",
    /// Typed text.
    Input = "input",
    /// What it is for.
    InputLabel = "input.label",
    /// The place of the next letter.
    InputCursor = "input.cursor",
    /// A notice.
    Toast = "toast",
    /// ... of a failure.
    ToastBad = "toast.bad",
    /// ... of a doubt.
    ToastWarn = "toast.warn",
}

impl Role {
    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }
}
