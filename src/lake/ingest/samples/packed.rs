//! Files as bytes: what is packed is unpacked by what its first bytes say.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::storage::anywhere::AnyFile;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all, so that any place in it can be read by itself.
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Packing {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

/// Opens a file and says how it is packed; what is read is unpacked.
pub(crate) fn open(path: &Path) -> io::Result<(Box<dyn BufRead + Send>, Packing)> {
    let mut packed = BufReader::with_capacity(1 << 20, AnyFile::open(path)?);
    let packing = Packing::of(packed.fill_buf()?);
    let source: Box<dyn Read + Send> = match packing {
        Packing::None => return Ok((Box::new(packed), packing)),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Packing::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(packed)),
    };
    Ok((Box::new(BufReader::with_capacity(1 << 18, source)), packing))
}
