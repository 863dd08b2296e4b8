//! One accepted connection: hyper on a socket that can be reset instead of closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::exchange::{Host, answer};

/// Room for one connection's requests in bytes. A thousand idle connections shouldn't cost more than they must.
const BUFFER: usize = 16 * 1024;

/// Tells a connection's socket to say goodbye with a reset.
#[derive(Clone, Default)]
pub(super) struct ResetSwitch(Arc<AtomicBool>);

impl ResetSwitch {
    /// Lets the connection end in a TCP reset, whenever it ends.
    pub(super) fn switch_on(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Serves one connection until the client closes it, it is idle and the host stops, or a fault cuts it.
pub(super) async fn serve(stream: TcpStream, host: Arc<Host>) {
    let switch = ResetSwitch::default();
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
    switch: ResetSwitch,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.switch.0.load(Ordering::Acquire) {
            // Where it can't be set, the socket is closed like any other.
            let _unsupported = self.stream.inner().set_zero_linger();
        }
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
        Pin::new(&mut self.get_mut().stream).poll_write(context, buffer)
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
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, buffers)
    }
}
