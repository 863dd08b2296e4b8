//! A small blocking HTTP/1.1 client on a plain socket, which sees exactly what came over the wire.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// No test waits that long unless it is going to fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, kept alive.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    pub(super) fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(super) fn get(&mut self, path: &str) -> io::Result<Received> {
        self.call("GET", path, "application/json", "")
    }

    pub(super) fn delete(&mut self, path: &str) -> io::Result<Received> {
        self.call("DELETE", path, "application/json", "")
    }

    pub(super) fn post_json(&mut self, path: &str, body: &Value) -> io::Result<Received> {
        self.call("POST", path, "application/json", &body.to_string())
    }

    pub(super) fn post_form(&mut self, path: &str, body: &str) -> io::Result<Received> {
        self.call("POST", path, "application/x-www-form-urlencoded", body)
    }

    fn call(&mut self, method: &str, path: &str, content_type: &str, body: &str) -> io::Result<Received> {
        self.send(method, path, content_type, "some-token", body)?;
        self.receive()
    }

    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        bearer: &str,
        body: &str,
    ) -> io::Result<()> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {bearer}\r\n\
             content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes())
    }

    /// Reads one answer; an end before its end is an `UnexpectedEof`.
    pub(super) fn receive(&mut self) -> io::Result<Received> {
        let end_of_head = loop {
            if let Some(at) = find(&self.unread, b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head: Vec<u8> = self.unread.drain(..end_of_head).collect();
        let mut received = Received { status: 0, head: String::from_utf8(head).unwrap(), body: Vec::new() };
        received.status = received.head.split(' ').nth(1).unwrap().parse().unwrap();
        if let Some(length) = received.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.unread.len() < length {
                self.read_more()?;
            }
            received.body = self.unread.drain(..length).collect();
        } else if received.header("transfer-encoding").is_some() {
            received.body = self.receive_chunks()?;
        }
        Ok(received)
    }

    fn receive_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end_of_size = loop {
                if let Some(at) = find(&self.unread, b"\r\n") {
                    break at;
                }
                self.read_more()?;
            };
            let size = std::str::from_utf8(&self.unread[..end_of_size]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let end_of_chunk = end_of_size + 2 + size + 2;
            while self.unread.len() < end_of_chunk {
                self.read_more()?;
            }
            body.extend_from_slice(&self.unread[end_of_size + 2..end_of_chunk - 2]);
            self.unread.drain(..end_of_chunk);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&buffer[..length]);
        Ok(())
    }

    /// Whether anything of an answer was received and not taken yet.
    pub(super) fn received_anything(&self) -> bool {
        !self.unread.is_empty()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
