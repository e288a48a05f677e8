//! field — what the form of an account asks for, and the words beside each question.
//! Owns: `Field`. May import: nothing of ours.
//! Start reading at: `Field`.

/// What the form asks for, from top to bottom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// The mail address.
    Address,
    /// The person's name.
    Name,
    /// The server that has the mail.
    Incoming,
    /// How the line to it is protected.
    IncomingTls,
    /// Its port.
    IncomingPort,
    /// The server that sends.
    Outgoing,
    /// How the line to it is protected.
    OutgoingTls,
    /// Its port.
    OutgoingPort,
    /// The login name.
    Login,
    /// Where the password comes from.
    Source,
    /// The password, or the command that prints it.
    Password,
    /// A file with the certificate of an authority of one's own; asked for once a server was not trusted.
    CaFile,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Address,
        Self::Name,
        Self::Incoming,
        Self::IncomingTls,
        Self::IncomingPort,
        Self::Outgoing,
        Self::OutgoingTls,
        Self::OutgoingPort,
        Self::Login,
        Self::Source,
        Self::Password,
        Self::CaFile,
    ];

    /// What stands before it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Address => "Your address",
            Self::Name => "Your name",
            Self::Incoming => "Incoming server",
            Self::Outgoing => "Outgoing server",
            Self::IncomingTls | Self::OutgoingTls => "Security",
            Self::IncomingPort | Self::OutgoingPort => "Port",
            Self::Login => "Login name",
            Self::Source => "Password",
            Self::Password => "",
            Self::CaFile => "CA file",
        }
    }

    /// What stands below the form about it; `by_command`: the password is printed by a command.
    #[must_use]
    pub const fn hint(self, by_command: bool) -> &'static str {
        match self {
            Self::Address => "Its domain is asked for the servers; everything can be changed",
            Self::Name => "As others see it in what you send",
            Self::Incoming => "The IMAP server of your provider",
            Self::Outgoing => "The server that takes what you send",
            Self::IncomingTls | Self::OutgoingTls => "Space or an arrow changes it",
            Self::IncomingPort | Self::OutgoingPort => "Your provider says if it is another one",
            Self::Login => "At most providers the whole address",
            Self::Source => "Space changes it; a password itself is never written to a file",
            Self::Password if by_command => "For example: pass show mail/work",
            Self::Password => "Kept in memory until the end of this run",
            Self::CaFile => "The certificate of your own authority (PEM); empty trusts this system's",
        }
    }
}
