//! A source as a stream of UTF-8, however it is compressed and encoded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::super::compression::Compression;
use super::super::encoding::{Encoding, Validity, read_start};
use super::super::stream::Bytes;
use super::super::{EncodingChoice, ManifestProblem, Source};

/// A source whose compression and encoding are known.
#[derive(Debug, Clone)]
pub(in super::super) struct Text {
    source: Source,
    compression: Compression,
    encoding: Encoding,
}

impl Text {
    /// Finds out compression and encoding, reading the whole source once: a file may be plain ASCII for a million lines
    /// and show in the last one that it isn't UTF-8. The warning says so when the encoding is a guess.
    pub(in super::super) fn find(
        source: Source,
        choice: Option<EncodingChoice>,
    ) -> Result<(Self, Option<String>), ManifestProblem> {
        let mut magic = [0; 4];
        let read = source.read_at(&mut magic, 0).map_err(ManifestProblem::Read)?;
        let compression = Compression::of(&magic[..read]);
        let mut text = Self { source, compression, encoding: Encoding::Utf8 };
        let mut start = [0; 4];
        let read = text
            .open_bytes(Arc::default())
            .and_then(|mut bytes| read_start(&mut bytes, &mut start))
            .map_err(|error| text.problem(error))?;
        let start = &start[..read];
        text.encoding = Encoding::presumed(choice, start);
        let validity = text
            .open_bytes(Arc::default())
            .and_then(|bytes| text.encoding.validate(bytes))
            .map_err(|error| text.problem(error))?;
        match validity {
            Validity::Valid => Ok((text, None)),
            Validity::MalformedOnLine(_)
                if choice.is_none()
                    && text.encoding == Encoding::Utf8
                    && !Encoding::is_marked_utf8(start) =>
            {
                text.encoding = Encoding::Windows1252;
                let name = text.source.name();
                let warning =
                    format!("{name} isn't UTF-8; it is read as Windows-1252 (say --encoding to choose)");
                Ok((text, Some(warning)))
            }
            Validity::MalformedOnLine(line) => {
                Err(ManifestProblem::Malformed { encoding: text.encoding.name(), line })
            }
        }
    }

    /// The encoding it has in the source.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// A reading of its own from the beginning; `position` follows how much of the source it used.
    pub(in super::super) fn open(&self, position: Arc<AtomicU64>) -> Result<Bytes, ManifestProblem> {
        self.open_bytes(position)
            .and_then(|bytes| self.encoding.decode(bytes))
            .map_err(|error| self.problem(error))
    }

    fn open_bytes(&self, position: Arc<AtomicU64>) -> io::Result<Bytes> {
        self.compression.decompress(self.source.reader(position))
    }

    fn problem(&self, error: io::Error) -> ManifestProblem {
        ManifestProblem::from_stream(error, self.encoding.name(), 1)
    }
}
