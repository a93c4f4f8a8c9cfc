//! Numbers and texts as bytes, for what is stored.

/// Takes what is to be stored.
#[derive(Debug, Default)]
pub struct Out(Vec<u8>);

impl Out {
    /// An unsigned number: seven bits a byte, the lowest first.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            #[allow(clippy::cast_possible_truncation, reason = "the lowest bits")]
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        #[allow(clippy::cast_possible_truncation, reason = "it is below 128")]
        self.0.push(value as u8);
    }

    /// A number of things.
    pub fn count(&mut self, value: usize) {
        self.number(value as u64);
    }

    /// A signed number; small ones of both signs are short.
    #[allow(clippy::cast_sign_loss, reason = "the sign is folded in")]
    pub fn int(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A float.
    pub fn float(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes with their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Bytes whose number the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// What was taken.
    pub fn done(self) -> Vec<u8> {
        self.0
    }

    /// What was taken so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Gives back what [`Out`] took; nothing where the bytes are not what it writes.
#[derive(Clone, Copy, Debug)]
pub struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// An unsigned number.
    pub fn number(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift += 7;
        }
    }

    /// A number of things, each of which takes at least one byte.
    pub fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    /// A number that stands for no bytes.
    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A signed number.
    #[allow(clippy::cast_possible_wrap, reason = "the sign is folded in")]
    pub fn int(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A float.
    pub fn float(&mut self) -> Option<f64> {
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*bytes))
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Bytes with their number.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        self.raw(count)
    }

    /// So many bytes.
    pub fn raw(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut out = Out::default();
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            out.int(value);
        }
        out.number(u64::MAX);
        out.text("größe");
        out.float(-0.5);
        let bytes = out.done();
        let mut read = In::new(&bytes);
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            assert_eq!(read.int(), Some(value));
        }
        assert_eq!((read.number(), read.text(), read.float()), (Some(u64::MAX), Some("größe"), Some(-0.5)));
        assert!(read.is_empty() && read.number().is_none() && In::new(&[0xff; 11]).number().is_none());
        assert!(In::new(&[200, 1, 0]).bytes().is_none());
    }
}
