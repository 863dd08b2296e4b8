//! Reads what strace wrote: one system call after the other, with its arguments as bytes.

use std::collections::HashMap;

/// A system call.
#[derive(Debug)]
pub(super) struct SystemCall {
    pub(super) name: String,
    /// The path behind its first argument, where that is an open file; none for a file without a name.
    pub(super) path: Option<String>,
    /// Its quoted arguments.
    pub(super) texts: Vec<Vec<u8>>,
    /// Its arguments as they were written.
    pub(super) arguments: String,
    /// What it answered; `None` when the process was killed in it.
    pub(super) result: Option<i64>,
    /// The line on which it began and the one on which it ended, counted from 0.
    pub(super) began: usize,
    pub(super) ended: usize,
}

/// The arguments with which strace records everything that this module can read.
pub(super) fn strace(file: &str) -> Vec<String> {
    let calls = "trace=openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,\
                 write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,ftruncate,fallocate,exit_group";
    let arguments = ["-qq", "-y", "-xx", "-s", "1000000", "-o", file, "-e", calls];
    arguments.map(str::to_owned).into()
}

/// Every system call of a trace, in the order in which they ended; one in which the process was killed ends there.
pub(super) fn parse(text: &str) -> Vec<SystemCall> {
    let mut calls = Vec::new();
    let mut unfinished: HashMap<&str, (usize, String)> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let (process, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, (number, begun.to_owned()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").unwrap();
            let (start, begun) = unfinished.remove(process).unwrap();
            calls.push(parse_call(&format!("{begun}{end}"), start, number));
        } else {
            calls.push(parse_call(rest, number, number));
        }
    }
    calls
}

fn parse_call(text: &str, began: usize, ended: usize) -> SystemCall {
    let (name, rest) = text.split_once('(').unwrap();
    // Every text is in hexadecimal, so that nothing in it looks like the end of the arguments.
    let (arguments, result) = rest.rsplit_once(" = ").unwrap();
    let arguments = arguments.trim_end().trim_end_matches(')').to_owned();
    let digits = result.split(|character: char| !character.is_ascii_digit() && character != '-').next();
    SystemCall {
        name: name.to_owned(),
        path: first_path(&arguments),
        texts: arguments.split('"').skip(1).step_by(2).map(unescape).collect(),
        result: digits.and_then(|digits| digits.parse().ok()),
        arguments,
        began,
        ended,
    }
}

/// The path of the first argument, if that is an open file with a name.
fn first_path(arguments: &str) -> Option<String> {
    let first = arguments.split(", ").next()?;
    let (_, path) = first.split_once('<')?;
    let (path, rest) = path.split_once('>')?;
    let path = String::from_utf8(unescape(path)).unwrap();
    (rest.is_empty() && path.starts_with('/')).then_some(path)
}

fn unescape(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|digits| u8::from_str_radix(&digits[..2], 16).unwrap()).collect()
}

#[test]
fn a_call_that_another_one_interrupts_is_put_together_again() {
    let text = "7  pwrite64(13<\\x2f\\x61>, \"\\x01\\x02\", 2, 56 <unfinished ...>\n\
                8  fsync(4<\\x2f\\x62>) = 0\n\
                7  <... pwrite64 resumed>) = 2\n\
                7  write(2<\\x2f\\x63>(deleted), \"\\x41\", 1) = ?\n\
                7  +++ killed by SIGKILL +++\n";
    let calls = parse(text);
    assert_eq!(calls.len(), 3);
    assert_eq!((calls[0].name.as_str(), calls[0].path.as_deref()), ("fsync", Some("/b")));
    let write = &calls[1];
    assert_eq!((write.began, write.ended, write.result), (0, 2, Some(2)));
    assert_eq!((write.texts[0].as_slice(), write.path.as_deref()), (&[1, 2][..], Some("/a")));
    assert!(write.arguments.ends_with(", 2, 56"), "{}", write.arguments);
    assert_eq!((calls[2].result, &calls[2].path), (None, &None));
}
