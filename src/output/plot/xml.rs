//! Elements of SVG as text.

use super::plain;
use std::fmt::{Display, Write};

/// Text that is being written. Names of elements and attributes come from the program, everything else is escaped.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.tag(name, attributes, "/>\n");
    }

    /// An element that is open until [`Xml::close`].
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.tag(name, attributes, ">\n");
    }

    /// Ends an element.
    pub(super) fn close(&mut self, name: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "</{name}>");
    }

    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, attributes: &[(&str, &dyn Display)], text: &str) {
        self.tag(name, attributes, ">");
        let _ = writeln!(self.0, "{}</{name}>", escaped(text));
    }

    /// An element with a text that is cut; the whole text appears under the pointer.
    pub(super) fn titled(&mut self, name: &str, attributes: &[(&str, &dyn Display)], text: &str, title: &str) {
        self.tag(name, attributes, ">");
        let _ = writeln!(self.0, "<title>{}</title>{}</{name}>", escaped(title), escaped(text));
    }

    /// A text that is XML already.
    pub(super) fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &dyn Display)], end: &str) {
        let _ = write!(self.0, "<{name}");
        for (name, value) in attributes {
            let _ = write!(self.0, " {name}=\"{}\"", escaped(&value.to_string()));
        }
        self.0.push_str(end);
    }
}

/// Text that means itself in XML, inside of elements and of attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A length in pixels: as many digits as can be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixels(pub(super) f64);

impl Display for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        match (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, tenth) => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
        // Characters that XML has no way to write, and those that turn a line around.
        assert_eq!(escaped("a\0b\u{1b}c\u{ffff}\u{202e}d\ne"), "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}d e");
    }

    #[test]
    fn lengths_are_short() {
        for (length, text) in
            [(0.0, "0"), (1.04, "1"), (1.05001, "1.1"), (-0.04, "0"), (-12.34, "-12.3"), (700.0, "700")]
        {
            assert_eq!(Pixels(length).to_string(), text);
        }
    }
}
