//! A server for one request: it takes the request down and answers with the bytes it was given.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::http::{ClientOptions, ExtraRoots, HttpClient};
use crate::model::{LeafUserId, Secret};

/// More than is taken in of any answer.
pub(super) const TOO_LARGE: usize = 300 * 1024;

pub(super) const TOKEN: &str = "leaf-token";

/// A server that waits for its request.
pub(super) struct Server {
    url: String,
    request: JoinHandle<String>,
}

impl Server {
    /// A server that will answer with `answer` and close the connection.
    pub(super) fn answering(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let request = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            // A client that has seen enough may close before everything is written.
            let _ = stream.write_all(&answer);
            request
        });
        Self { url, request }
    }

    pub(super) fn client(&self) -> HttpClient {
        client_of(&self.url)
    }

    /// The request as it came: its line, its headers in lower case, and its body.
    pub(super) fn request(self) -> String {
        self.request.join().unwrap()
    }
}

/// A client of the host at `url`.
pub(super) fn client_of(url: &str) -> HttpClient {
    HttpClient::new(&ClientOptions {
        base_url: url.parse().unwrap(),
        timeout: Duration::from_secs(20),
        idle_connections: 0,
        allow_insecure_http: false,
        extra_roots: ExtraRoots::default(),
    })
    .unwrap()
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return format!("{head}\n\n{body}");
            }
        }
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "the request ended early");
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// An answer with a JSON body.
pub(super) fn json(status: u16, body: &str) -> Vec<u8> {
    answer(status, "application/json", body)
}

pub(super) fn answer(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// An answer that asks for patience.
pub(super) fn wait(status: u16, seconds: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Whatever\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A web page, as gateways send it.
pub(super) fn web_page(status: u16) -> Vec<u8> {
    answer(status, "text/html", "\n <!DOCTYPE html><html><body>Blocked</body></html>")
}

/// An answer that announces more than comes.
pub(super) fn truncated(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 5000\r\n\r\n{body}").into_bytes()
}

/// An answer that is JSON of the right shape, but far too long.
pub(super) fn too_large(status: u16, body: &str) -> Vec<u8> {
    json(status, &format!("{body}{}", " ".repeat(TOO_LARGE)))
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(super) fn token() -> Secret {
    secret(TOKEN)
}

pub(super) const ID: &str = "0a1b2c3d-0000-4000-8000-00000000abcd";

pub(super) fn id() -> LeafUserId {
    ID.parse().unwrap()
}
