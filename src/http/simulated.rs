//! What a simulation puts in the place of the network. Everything above it is the real thing: the time-out, the headers,
//! the bounded body.

use std::fmt;

use futures::future::BoxFuture;
use reqwest::{RequestBuilder, Response};

use super::SendError;

/// A simulated network with its hosts.
pub(crate) trait Network: fmt::Debug + Send + Sync {
    /// Takes a request to its host, and an answer back. A future that is dropped is a request that was given up.
    fn send(&self, request: RequestBuilder) -> BoxFuture<'static, Result<Response, SendError>>;
}
