//! The server that speaks S3.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, StatusCode};
use tokio::runtime::Runtime;

use crate::support::{Bench, Invocation};

/// What moto is asked for: it ends with its stdin, so that it outlives no test, however that ends.
const SERVER: &str = "
import os, sys, threading
from moto.server import main
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
main(['-H', '127.0.0.1', '-p', '0'])
";

/// The secrets with which the program signs.
pub(crate) const KEY_ID: &str = "AKIAOFTHETESTS000001";
pub(crate) const KEY: &str = "the-secret-access-key-of-the-tests";
pub(crate) const TOKEN: &str = "the-session-token-of-the-tests";

/// One server with one bucket, `growers`, and a client of the tests' own.
pub(crate) struct Store {
    process: Child,
    pub(crate) url: String,
    client: Client,
    runtime: Runtime,
}

impl Store {
    /// Starts a server; `None`, and said aloud, where it isn't installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with variables for the server.
    pub(crate) fn start_with(variables: &[(&str, &str)]) -> Option<Self> {
        let mut command = Command::new("python3");
        command.args(["-c", SERVER]).env("PYTHONUNBUFFERED", "1").envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().ok()?;
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut url = None;
        let mut line = String::new();
        while url.is_none() && said.read_line(&mut line).unwrap() > 0 {
            url = line.split_once("Running on ").map(|(_, url)| url.trim().to_owned());
            line.clear();
        }
        let Some(url) = url else {
            println!("!! LEFT OUT: moto is missing (python3 -m pip install 'moto[server]')");
            assert!(std::env::var_os("STARA_ONBOARD_NEEDS_MOTO").is_none(), "moto is missing");
            return None;
        };
        // What it logs is read and dropped, or it would wait for a reader.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let store = Self { process, url, client, runtime };
        assert_eq!(store.ask(Method::PUT, "growers", Vec::new()).0, StatusCode::OK);
        Some(store)
    }

    /// Puts an object into the bucket.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        assert_eq!(self.ask(Method::PUT, &format!("growers/{key}"), bytes.into()).0, StatusCode::OK);
    }

    /// An object of the bucket.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (status, body) = self.ask(Method::GET, &format!("growers/{key}"), Vec::new());
        (status == StatusCode::OK).then_some(body)
    }

    /// What the bucket shows, and the uploads that were begun and neither finished nor given up.
    pub(crate) fn listed(&self) -> (String, String) {
        let list = |query: &str| {
            let (status, body) = self.ask(Method::GET, &format!("growers?{query}"), Vec::new());
            assert_eq!(status, StatusCode::OK);
            String::from_utf8(body).unwrap()
        };
        (list("list-type=2"), list("uploads"))
    }

    /// Takes the bucket with all objects away.
    pub(crate) fn empty(&self, keys: &[&str]) {
        for key in keys {
            let (status, _) = self.ask(Method::DELETE, &format!("growers/{key}"), Vec::new());
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        assert_eq!(self.ask(Method::DELETE, "growers", Vec::new()).0, StatusCode::NO_CONTENT);
    }

    /// Makes the bucket again.
    pub(crate) fn make_bucket(&self) {
        assert_eq!(self.ask(Method::PUT, "growers", Vec::new()).0, StatusCode::OK);
    }

    fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let request = self.client.request(method, format!("{}/{path}", self.url)).body(body).header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=tests/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        );
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status(), answer.bytes().await.unwrap().to_vec())
        })
    }

    /// Asks IAM, whose answers are XML.
    pub(crate) fn ask_iam(&self, query: &str) -> String {
        let request = self.client.post(&self.url).body(format!("Version=2010-05-08&{query}"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=tests/20261122/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        );
        self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() })
    }

    /// The variables that point the program at the server.
    pub(crate) fn point(&self, program: Invocation) -> Invocation {
        pointed(program, &self.url).env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", KEY)
    }

    /// The program in the bench's folder, pointed at its services and at the store.
    pub(crate) fn program(&self, bench: &Bench) -> Invocation {
        self.point(bench.program())
    }
}

/// The program, pointed at a store and with no credentials.
pub(crate) fn pointed(program: Invocation, url: &str) -> Invocation {
    let names: Vec<_> =
        std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("AWS_")).collect();
    let program = names.iter().fold(program, |program, name| program.env_remove(name));
    program.env("AWS_ENDPOINT_URL", url).env("AWS_EC2_METADATA_DISABLED", "true")
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have been ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
