//! One accepted connection: hyper on a socket that can say something else than hyper does, or be reset.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::exchange::{Host, answer};

/// Room for one connection's requests in bytes. A thousand idle connections shouldn't cost more than they must.
const BUFFER: usize = 16 * 1024;

/// Tells a connection's socket to behave as no HTTP library would let it.
#[derive(Clone, Default)]
pub(super) struct WireSwitch(Arc<Orders>);

#[derive(Default)]
struct Orders {
    is_reset: AtomicBool,
    /// What is left to be said; once there is something, nothing else goes over the wire any more.
    script: Mutex<Option<Bytes>>,
}

impl WireSwitch {
    /// Lets the connection end in a TCP reset, whenever it ends.
    pub(super) fn reset(&self) {
        self.0.is_reset.store(true, Ordering::Release);
    }

    /// Says this in the place of all that hyper writes from here on.
    pub(super) fn say(&self, script: Bytes) {
        *self.0.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(script);
    }
}

/// Serves one connection until the client closes it, it is idle and the host stops, or a fault cuts it.
pub(super) async fn serve(stream: TcpStream, host: Arc<Host>) {
    let switch = WireSwitch::default();
    let socket = Socket { stream: TokioIo::new(stream), switch: switch.clone() };
    let service = service_fn(move |request| answer(Arc::clone(&host), switch.clone(), request));
    // An error means that the client went away, or that a fault cut the connection; nobody is interested in it.
    let _ended = http1::Builder::new()
        .pipeline_flush(true)
        .max_buf_size(BUFFER)
        .serve_connection(socket, service)
        .await;
}

/// A socket that is reset when it is dropped, if its switch is on.
struct Socket {
    stream: TokioIo<TcpStream>,
    switch: WireSwitch,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.switch.0.is_reset.load(Ordering::Acquire) {
            // Where it can't be set, the socket is closed like any other.
            let _unsupported = self.stream.inner().set_zero_linger();
        }
    }
}

impl Socket {
    /// Writes what was ordered, if anything was; the answer is whether hyper's own bytes are to be swallowed.
    fn poll_script(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut script = self.switch.0.script.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = script.as_mut() else { return Poll::Ready(Ok(false)) };
        while !rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.advance(written);
        }
        Poll::Ready(Ok(true))
    }
}

impl Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl Write for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        if ready!(socket.poll_script(context))? {
            return Poll::Ready(Ok(buffer.len()));
        }
        Pin::new(&mut socket.stream).poll_write(context, buffer)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        if ready!(socket.poll_script(context))? {
            return Poll::Ready(Ok(buffers.iter().map(|buffer| buffer.len()).sum()));
        }
        Pin::new(&mut socket.stream).poll_write_vectored(context, buffers)
    }
}
