//! Decompresses a page into exactly the bytes its header announced, and never more.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use parquet::basic::Compression;

use super::super::ManifestProblem;
use super::guard::unsound;

/// How much brotli reads at a time.
const BROTLI_BLOCK_BYTES: usize = 16 * 1024;

/// Decompresses `input` to the whole of `output`.
///
/// The `parquet` crate does this too, but lets gzip, brotli and framed LZ4 grow as far as they like.
pub(super) fn decompress(
    compression: Compression,
    input: &[u8],
    output: &mut [u8],
) -> Result<(), ManifestProblem> {
    if output.is_empty() {
        return Ok(());
    }
    let filled = match compression {
        Compression::UNCOMPRESSED => copy(input, output),
        Compression::SNAPPY => snappy(input, output),
        Compression::GZIP(_) => fill(MultiGzDecoder::new(input), output),
        Compression::BROTLI(_) => fill(brotli::Decompressor::new(input, BROTLI_BLOCK_BYTES), output),
        Compression::ZSTD(_) => zstd(input, output),
        Compression::LZ4_RAW => lz4_block(input, output),
        // The old LZ4 has been written in three ways; the usual one comes first.
        Compression::LZ4 => lz4_hadoop(input, output)
            .or_else(|| lz4_block(input, output))
            .or_else(|| fill(lz4_flex::frame::FrameDecoder::new(input), output)),
        Compression::LZO => return Err(unsound("it is compressed with LZO, which nothing here reads")),
    };
    filled.ok_or_else(|| unsound("a page is damaged, or of another size than its header says"))
}

fn copy(input: &[u8], output: &mut [u8]) -> Option<()> {
    (input.len() == output.len()).then(|| output.copy_from_slice(input))
}

/// Asks for one byte more than there should be, so that too long a page is noticed and not cut.
fn fill(mut reader: impl Read, output: &mut [u8]) -> Option<()> {
    reader.read_exact(output).ok()?;
    (reader.read(&mut [0]).ok()? == 0).then_some(())
}

fn snappy(input: &[u8], output: &mut [u8]) -> Option<()> {
    if snap::raw::decompress_len(input).ok()? != output.len() {
        return None;
    }
    snap::raw::Decoder::new().decompress(input, output).ok().map(|_| ())
}

fn zstd(input: &[u8], output: &mut [u8]) -> Option<()> {
    (zstd::bulk::decompress_to_buffer(input, output).ok()? == output.len()).then_some(())
}

fn lz4_block(input: &[u8], output: &mut [u8]) -> Option<()> {
    (lz4_flex::block::decompress_into(input, output).ok()? == output.len()).then_some(())
}

/// Hadoop's own framing: blocks, each after its decompressed and its compressed size as big-endian 32-bit numbers.
fn lz4_hadoop(mut input: &[u8], output: &mut [u8]) -> Option<()> {
    let mut filled = 0_usize;
    while !input.is_empty() {
        let (sizes, rest) = input.split_first_chunk::<8>()?;
        let sizes = u64::from_be_bytes(*sizes);
        let block_size = usize::try_from(sizes >> 32).ok()?;
        let compressed_size = usize::try_from(sizes & 0xffff_ffff).ok()?;
        let (block, rest) = rest.split_at_checked(compressed_size)?;
        let target = output.get_mut(filled..filled.checked_add(block_size)?)?;
        if lz4_flex::block::decompress_into(block, target).ok()? != block_size {
            return None;
        }
        filled += block_size;
        input = rest;
    }
    (filled == output.len()).then_some(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const TEXT: &[u8] = b"one two three one two three one two three one two three";

    fn hadoop(parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in parts {
            let block = lz4_flex::block::compress(part);
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(&block);
        }
        bytes
    }

    fn compressed() -> Vec<(Compression, Vec<u8>)> {
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        brotli.write_all(TEXT).unwrap();
        let mut lz4_frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4_frame.write_all(TEXT).unwrap();
        vec![
            (Compression::UNCOMPRESSED, TEXT.to_vec()),
            (Compression::SNAPPY, snap::raw::Encoder::new().compress_vec(TEXT).unwrap()),
            (
                Compression::GZIP(parquet::basic::GzipLevel::default()),
                super::super::super::compression::tests::gzip(TEXT),
            ),
            (Compression::BROTLI(parquet::basic::BrotliLevel::default()), brotli.into_inner()),
            (Compression::ZSTD(parquet::basic::ZstdLevel::default()), zstd::encode_all(TEXT, 3).unwrap()),
            (Compression::LZ4_RAW, lz4_flex::block::compress(TEXT)),
            (Compression::LZ4, hadoop(&[&TEXT[..20], &TEXT[20..]])),
            (Compression::LZ4, lz4_flex::block::compress(TEXT)),
            (Compression::LZ4, lz4_frame.finish().unwrap()),
        ]
    }

    #[test]
    fn every_compression_gives_the_text_back() {
        for (compression, bytes) in compressed() {
            let mut output = vec![0; TEXT.len()];
            decompress(compression, &bytes, &mut output).unwrap();
            assert_eq!(output, TEXT, "{compression:?}");
        }
    }

    #[test]
    fn a_page_that_is_shorter_or_longer_than_announced_is_an_error() {
        for (compression, bytes) in compressed() {
            for size in [TEXT.len() - 1, TEXT.len() + 1] {
                assert!(decompress(compression, &bytes, &mut vec![0; size]).is_err(), "{compression:?}");
            }
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked_beyond_the_announced_size() {
        let bomb = super::super::super::compression::tests::gzip(&vec![0; 8 << 20]);
        let mut output = [0; 100];
        assert!(
            decompress(Compression::GZIP(parquet::basic::GzipLevel::default()), &bomb, &mut output).is_err()
        );
    }
}
