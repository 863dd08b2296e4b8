//! Answers in bytes that no HTTP library would write.

use hyper::body::Bytes;

use super::faults::Wire;

/// How many informational answers stand for an endless number of them: 11 MB.
const FOREVER: usize = 400_000;

/// The whole answer of this status with this body, as it goes over the wire.
pub(super) fn write(wire: Wire, status: u16, body: &[u8]) -> Bytes {
    let length = body.len();
    let good = || format!("HTTP/1.1 {status} Simulated\r\nContent-Length: {length}\r\n");
    let head = match wire {
        Wire::Http10 => format!("HTTP/1.0 {status} Simulated\r\n\r\n"),
        Wire::ClosedUnannounced => format!("{}\r\n", good()),
        Wire::Informational(count) => format!("{}{}\r\n", informational(count), good()),
        Wire::InformationalForever => informational(FOREVER),
        Wire::Switching => {
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ogham\r\n\r\n".to_owned()
        }
        Wire::HeaderLines(count) => {
            let line = |number| format!("X-Line-{number}: {}\r\n", "x".repeat(100));
            format!("{}{}\r\n", good(), (0..count).map(line).collect::<String>())
        }
        Wire::HeaderLine(bytes) => format!("{}X-Line: {}\r\n\r\n", good(), "x".repeat(bytes)),
        Wire::ChunkedGarbage => {
            format!("HTTP/1.1 {status} Simulated\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n")
        }
        Wire::TwoLengths => format!("{}Content-Length: {}\r\n\r\n", good(), length + 1),
        Wire::HugeLength => {
            format!("HTTP/1.1 {status} Simulated\r\nContent-Length: {}\r\n\r\n", u64::MAX - 2)
        }
        Wire::BadStatus => "HTTP/1.1 2OO Simulated\r\n\r\n".to_owned(),
        Wire::Garbage => "\u{7}\u{0}\u{3} 220 mail.example ESMTP\r\n\r\n".to_owned(),
    };
    [head.as_bytes(), body].concat().into()
}

fn informational(count: usize) -> String {
    "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count)
}
