//! The body of an answer as it goes out: whole, cut, huge or slow.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

/// The body of an answer.
pub(super) enum ReplyBody {
    /// All of it at once.
    Whole(Bytes),
    /// A part of it, and then the connection's end.
    Cut { part: Bytes, announced: u64, was_flushed: bool },
    /// A JSON string without an end in sight.
    Huge { chunk: Bytes, left: u64, is_opened: bool },
    /// One byte after each pause.
    Slow { rest: Bytes, pause: Duration, sleep: Pin<Box<Sleep>> },
}

const CHUNK: usize = 64 * 1024;

impl ReplyBody {
    pub(super) const fn whole(body: Bytes) -> Self {
        Self::Whole(body)
    }

    pub(super) fn cut_in_the_middle(body: &Bytes) -> Self {
        Self::Cut {
            announced: body.len().max(2) as u64,
            part: body.slice(..body.len() / 2),
            was_flushed: false,
        }
    }

    pub(super) fn huge(length: u64) -> Self {
        Self::Huge { chunk: Bytes::from(vec![b'x'; CHUNK]), left: length, is_opened: false }
    }

    pub(super) fn slow(body: Bytes, pause: Duration) -> Self {
        Self::Slow { rest: body, pause, sleep: Box::pin(tokio::time::sleep(pause)) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) if body.is_empty() => Poll::Ready(None),
            Self::Whole(body) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
            Self::Cut { part, was_flushed, .. } => {
                if !part.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(std::mem::take(part)))));
                }
                if !*was_flushed {
                    // An error right now would discard what is still in the buffer; a pause lets hyper flush it.
                    *was_flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(io::Error::other("the sandbox cuts this body"))))
            }
            Self::Huge { chunk, left, is_opened } => {
                if !*is_opened {
                    *is_opened = true;
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{\"id\":\"")))));
                }
                if *left == 0 {
                    return Poll::Ready(None);
                }
                let length = usize::try_from(*left).unwrap_or(CHUNK).min(CHUNK);
                *left -= length as u64;
                Poll::Ready(Some(Ok(Frame::data(chunk.slice(..length)))))
            }
            Self::Slow { rest, pause, sleep } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                ready!(sleep.as_mut().poll(context));
                sleep.as_mut().reset(tokio::time::Instant::now() + *pause);
                Poll::Ready(Some(Ok(Frame::data(rest.split_to(1)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(rest) | Self::Slow { rest, .. } => rest.is_empty(),
            Self::Cut { .. } | Self::Huge { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(rest) | Self::Slow { rest, .. } => SizeHint::with_exact(rest.len() as u64),
            Self::Cut { announced, .. } => SizeHint::with_exact(*announced),
            Self::Huge { .. } => SizeHint::default(),
        }
    }
}
