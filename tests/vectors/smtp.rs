//! smtp — what an honest submission server answers.
//! Start reading at: `Letter::answer`.

/// One connection's state.
#[derive(Default)]
pub struct Letter {
    pub over: bool,
    pub starts_tls: bool,
    pub reads_mail: bool,
}

impl Letter {
    /// `start`: whether STARTTLS is to be offered, and nothing else.
    pub fn answer(&mut self, line: &[u8], start: bool) -> Vec<u8> {
        let line = String::from_utf8_lossy(line).to_ascii_uppercase();
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        let answer = match verb {
            "<GREETING>" => "220 mail.example ready\r\n",
            "EHLO" if start => "250-mail.example\r\n250 STARTTLS\r\n",
            "EHLO" => "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "STARTTLS" if start => {
                self.starts_tls = true;
                "220 go\r\n"
            }
            "AUTH" if !start => "235 2.7.0 welcome\r\n",
            "MAIL" | "RCPT" | "RSET" | "NOOP" if !start => "250 ok\r\n",
            "DATA" if !start => {
                self.reads_mail = true;
                "354 go\r\n"
            }
            "QUIT" => {
                self.over = true;
                "221 bye\r\n"
            }
            _ => "503 not now\r\n",
        };
        answer.as_bytes().to_vec()
    }
}
