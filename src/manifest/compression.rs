//! Compressed manifests: recognised by their first bytes, decompressed as a stream.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::source::SourceReader;
use super::stream::{Bytes, StreamFault};

/// How a source is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// gzip, RFC 1952, of one member or several.
    Gzip,
    /// Zstandard, RFC 8878, of one frame or several.
    Zstd,
}

/// How much compressed data is read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

impl Compression {
    /// Recognises a compression by the magic bytes at the start of a source; a file's name may lie.
    pub(super) fn of(start: &[u8]) -> Self {
        match start {
            // RFC 1952, 2.3.1: ID1, ID2, and CM 8, the only method there is.
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable frame before the first one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The compression as messages name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "data",
            Self::Gzip => "gzip data",
            Self::Zstd => "Zstandard data",
        }
    }

    /// The decompressed bytes of `reader`.
    pub(super) fn decompress(self, reader: SourceReader) -> io::Result<Bytes> {
        let inner: Bytes = match self {
            Self::None => return Ok(Box::new(reader)),
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK_BYTES, reader))),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(
                BLOCK_BYTES,
                reader,
            ))?),
        };
        Ok(Box::new(Decompressed { inner, compression: self }))
    }
}

/// Tells damaged data from a source that can't be read.
struct Decompressed {
    inner: Bytes,
    compression: Compression,
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let is_fault =
                error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<StreamFault>);
            if is_fault || error.kind() == io::ErrorKind::Interrupted {
                error
            } else {
                io::Error::other(StreamFault::Corrupt(self.compression))
            }
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use zeroize::Zeroizing;

    use super::super::Source;
    use super::*;

    pub(in super::super) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decompress(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let compression = Compression::of(&bytes);
        let source = Source::memory(Zeroizing::new(bytes), "x");
        let mut text = Vec::new();
        compression.decompress(source.reader(Arc::default()))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn several_gzip_members_are_one_text() {
        let bytes = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(decompress(bytes).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn several_zstandard_frames_are_one_text() {
        let skippable = vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let frames = [
            skippable,
            zstd::encode_all(&b"one\n"[..], 3).unwrap(),
            zstd::encode_all(&b"two\n"[..], 3).unwrap(),
        ];
        assert_eq!(decompress(frames.concat()).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn data_that_is_cut_off_or_damaged_is_called_damaged() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        // A frame says by itself whether a checksum follows; without one, a flipped bit may go unseen.
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(&text).unwrap();
        for whole in [gzip(&text), encoder.finish().unwrap()] {
            let compression = Compression::of(&whole);
            let cut = whole[..whole.len() / 2].to_vec();
            let mut flipped = whole.clone();
            flipped[whole.len() / 2] ^= 0x55;
            let mut trailed = whole.clone();
            trailed.extend_from_slice(b"trailing rubbish");
            for (what, bytes) in [("cut", cut), ("flipped", flipped), ("trailed", trailed)] {
                let fault = decompress(bytes).map(|text| text.len()).map_err(StreamFault::from_io);
                let is_corrupt = matches!(&fault, Err(StreamFault::Corrupt(found)) if *found == compression);
                assert!(is_corrupt, "{what} {compression:?}: {fault:?}");
            }
        }
    }
}
