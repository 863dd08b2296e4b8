//! What the simulated services saw, read from the file to which they write it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

/// The calls so far, in the order of their receipt.
pub(crate) struct Seen {
    file: File,
    unread: Vec<u8>,
    pub(crate) calls: Vec<SeenCall>,
    /// How many lines there were so far: calls, faults, effects and answers.
    pub(crate) lines: usize,
    /// How many calls are held open by now, so that the program can be killed there.
    pub(crate) held: usize,
}

/// A call.
#[derive(Debug)]
pub(crate) struct SeenCall {
    pub(crate) kind: String,
    pub(crate) user: Option<String>,
    pub(crate) login: Option<String>,
    pub(crate) effect: bool,
    pub(crate) status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    call: usize,
    event: String,
    kind: Option<String>,
    leaf_user_id: Option<String>,
    login: Option<String>,
    fault: Option<String>,
    status: Option<u16>,
}

impl Seen {
    pub(crate) fn open(path: &Path) -> Self {
        Self { file: File::open(path).unwrap(), unread: Vec::new(), calls: Vec::new(), lines: 0, held: 0 }
    }

    /// Takes in what was written since.
    pub(crate) fn follow(&mut self) {
        self.file.read_to_end(&mut self.unread).unwrap();
        let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') else { return };
        let rest = self.unread.split_off(end + 1);
        let whole = std::mem::replace(&mut self.unread, rest);
        for line in std::str::from_utf8(&whole).unwrap().lines() {
            self.take(serde_json::from_str(line).unwrap());
        }
    }

    fn take(&mut self, line: Line) {
        self.lines += 1;
        if line.event == "received" {
            assert_eq!(line.call, self.calls.len() + 1, "calls are recorded in their order");
            let (user, login) = (line.leaf_user_id, line.login);
            let kind = line.kind.unwrap();
            self.calls.push(SeenCall { kind, user, login, effect: false, status: None });
            return;
        }
        let call = &mut self.calls[line.call - 1];
        match line.event.as_str() {
            "fault" => self.held += usize::from(line.fault.unwrap().starts_with("hang")),
            "effect" => call.effect = true,
            "answered" => call.status = line.status,
            other => panic!("an unknown event: {other}"),
        }
    }

    /// What calls changed for this user, in the order of their receipt: `attach` with its login, or `remove`.
    pub(crate) fn effects(&self, user: &str) -> Vec<(&str, Option<String>)> {
        let is_one = |call: &&SeenCall| {
            call.effect
                && call.user.as_deref() == Some(user)
                && ["attach", "remove"].contains(&call.kind.as_str())
        };
        self.calls.iter().filter(is_one).map(|call| (call.kind.as_str(), call.login.clone())).collect()
    }

    /// Whether the user holds a credential that was attached to it.
    pub(crate) fn holds(&self, user: &str) -> bool {
        self.effects(user).last().is_some_and(|(kind, _)| *kind == "attach")
    }
}
