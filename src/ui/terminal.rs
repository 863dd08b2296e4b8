//! The terminal behind stderr: whether it can be drawn on, how large it is, and what it understands.

use std::io::{self, IsTerminal as _};

use nix::unistd::{getpgrp, tcgetpgrp};
use rustix::termios::tcgetwinsize;

/// The size that is taken where none can be had.
const USUAL: Size = Size { columns: 80, lines: 24 };

/// What can be shown on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether lines can be drawn there and taken away again.
    pub is_drawable: bool,
    /// Whether colours are wanted there.
    pub has_colours: bool,
    /// Whether it shows more than ASCII.
    pub is_unicode: bool,
}

/// A size in letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Letters of a line.
    pub columns: usize,
    /// Lines.
    pub lines: usize,
}

impl Terminal {
    /// What stands behind this process' stderr. `TERM=dumb` can't be drawn on; `NO_COLOR` wants no colours, whatever it
    /// is set to (no-color.org); a locale that names another set of letters than UTF-8 gets ASCII.
    #[must_use]
    pub fn of_stderr() -> Self {
        Self::of(io::stderr().is_terminal(), |name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let is_drawable = is_terminal && set("TERM").is_some_and(|term| term != "dumb");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let is_utf8 = |locale: String| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        Self {
            is_drawable,
            has_colours: is_drawable && set("NO_COLOR").is_none(),
            is_unicode: locale.is_none_or(is_utf8),
        }
    }
}

/// The size of the terminal behind stderr now; it may be resized at any time.
pub(super) fn size_of_stderr() -> Size {
    let Ok(size) = tcgetwinsize(io::stderr()) else { return USUAL };
    // A serial line says 0.
    let or = |said: u16, usual| if said == 0 { usual } else { usize::from(said) };
    Size { columns: or(size.ws_col, USUAL.columns), lines: or(size.ws_row, USUAL.lines) }
}

/// How many columns a text for people may take: those of the terminal behind stderr, and as many as it likes without one.
#[must_use]
pub fn text_columns() -> usize {
    // On a narrower one words break anyway.
    if io::stderr().is_terminal() { size_of_stderr().columns.max(40) } else { usize::MAX }
}

/// Whether the terminal is ours to draw on: a job in the background would draw over what somebody types.
pub(super) fn is_in_foreground() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |foreground| foreground == getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(is_terminal: bool, variables: &[(&str, &str)]) -> Terminal {
        let find = |name: &str| variables.iter().find(|(variable, _)| *variable == name);
        Terminal::of(is_terminal, |name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_is_drawn_without_a_terminal_or_on_a_dumb_one() {
        assert!(of(true, &[("TERM", "xterm")]).is_drawable);
        for (is_terminal, variables) in [
            (false, &[("TERM", "xterm")][..]),
            (true, &[("TERM", "dumb")]),
            (true, &[]),
            (true, &[("TERM", "")]),
        ] {
            let terminal = of(is_terminal, variables);
            assert!(!terminal.is_drawable && !terminal.has_colours, "{is_terminal} {variables:?}");
        }
    }

    #[test]
    fn colours_are_left_out_where_they_are_not_wanted() {
        assert!(of(true, &[("TERM", "xterm"), ("NO_COLOR", "")]).has_colours);
        assert!(!of(true, &[("TERM", "xterm"), ("NO_COLOR", "0")]).has_colours);
    }

    #[test]
    fn a_locale_that_names_other_letters_gets_ascii() {
        for (variables, is_unicode) in [
            (&[][..], true),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "pt_BR.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "pt_BR.ISO-8859-1")], false),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")], false),
            (&[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8")], true),
        ] {
            assert_eq!(of(true, variables).is_unicode, is_unicode, "{variables:?}");
        }
    }
}
