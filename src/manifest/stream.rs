//! The byte stream between the layers, and what can go wrong in it, carried through `io::Error` from the layer that
//! knows it to the one that tells it.

use std::io::{self, Read};

use super::compression::Compression;

/// A stream of bytes through any number of layers.
pub(super) type Bytes = Box<dyn Read + Send>;

/// A failure of one layer of the byte stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFault {
    /// The source couldn't be read.
    #[error("{0}")]
    Read(io::Error),
    /// The compressed bytes are damaged or cut off.
    #[error("damaged {}", .0.name())]
    Corrupt(Compression),
    /// The text isn't valid in its encoding.
    #[error("malformed text")]
    Malformed,
}

impl StreamFault {
    /// Wraps a failure of the source itself, so that no layer above takes it for damaged data.
    pub(super) fn wrap_read(error: io::Error) -> io::Error {
        match error.downcast::<Self>() {
            // A source that is made of another one, which has told it already.
            Ok(fault) => io::Error::other(fault),
            Err(error) => io::Error::other(Self::Read(error)),
        }
    }

    /// Takes the fault out of an error that came up through the layers.
    pub(super) fn from_io(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(fault) => fault,
            Err(error) => Self::Read(error),
        }
    }
}
