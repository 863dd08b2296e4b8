//! Decodes another encoding to UTF-8 as a stream.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

use super::stream::{Bytes, StreamFault};

/// How much is decoded at a time.
const BLOCK_BYTES: usize = 32 * 1024;

/// Decodes another encoding to UTF-8, and stops at the first malformed sequence instead of replacing it.
pub(super) struct Transcoded {
    bytes: Bytes,
    decoder: Decoder,
    input: Block,
    output: Block,
    progress: Progress,
}

/// How far a decoding came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more input.
    Reading,
    /// The input ended; the decoder may still hold something back.
    Ending,
    /// A malformed sequence follows what was decoded so far.
    Malformed,
    /// Everything was decoded.
    Done,
}

/// A buffer of which a part is yet to be used.
struct Block {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Block {
    fn new() -> Self {
        Self { bytes: vec![0; BLOCK_BYTES], start: 0, end: 0 }
    }

    fn is_used_up(&self) -> bool {
        self.start == self.end
    }
}

impl Transcoded {
    /// Begins at the first of `bytes`.
    pub(super) fn new(bytes: Bytes, decoder: Decoder) -> Self {
        Self { bytes, decoder, input: Block::new(), output: Block::new(), progress: Progress::Reading }
    }

    fn decode_block(&mut self) -> io::Result<()> {
        if self.input.is_used_up() && self.progress == Progress::Reading {
            (self.input.start, self.input.end) = (0, 0);
            self.input.end = self.bytes.read(&mut self.input.bytes)?;
            if self.input.end == 0 {
                self.progress = Progress::Ending;
            }
        }
        let is_last = self.progress == Progress::Ending;
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input.bytes[self.input.start..self.input.end],
            &mut self.output.bytes,
            is_last,
        );
        self.input.start += read;
        self.output.start = 0;
        self.output.end = written;
        match result {
            DecoderResult::InputEmpty if is_last => self.progress = Progress::Done,
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => self.progress = Progress::Malformed,
        }
        Ok(())
    }
}

impl Read for Transcoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.output.is_used_up() {
            match self.progress {
                Progress::Done => return Ok(0),
                Progress::Malformed => return Err(io::Error::other(StreamFault::Malformed)),
                Progress::Reading | Progress::Ending => self.decode_block()?,
            }
        }
        let ready = &self.output.bytes[self.output.start..self.output.end];
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.output.start += read;
        Ok(read)
    }
}
