//! The part of an element that says which nodes it matches (section 2.3).

use super::super::Piece;
use super::parse::bad_number;
use super::{AttachmentNodes, By, Children, DefaultNode, Node};
use crate::diagnostic::Diagnostic;

/// What the node part of an element says.
pub(super) struct NodePart {
    pub(super) node: Node,
    pub(super) collect: bool,
    pub(super) column: Option<String>,
}

/// `node = ".." | "+.." | [ "!" ] [ "|" ] [ default ] component { ( "," | ";" ) component }`.
pub(super) fn node(text: &Piece) -> Result<NodePart, Diagnostic> {
    if let ".." | "+.." = text.as_str() {
        return Ok(NodePart { node: Node::Parent, collect: text.as_str() == "+..", column: None });
    }
    let sorted = text.as_str().starts_with(',');
    let flat = text.as_str().char_indices().any(|(at, c)| c == ';' && at > 0);
    let mut rest = text.clone();
    let negated = rest.as_str().starts_with('!');
    if negated {
        rest = rest.after(1);
    }
    let regex = rest.as_str().starts_with('|');
    if regex {
        rest = rest.after(1);
    }
    let mut part = Part {
        children: Children { by: By::Name, names: vec![], names_of: None, attachments: vec![], flat, default: None },
        collect: false,
        column: None,
    };
    if !(regex || negated)
        && let Some(remaining) = part.default(&rest)?
    {
        rest = remaining;
    }
    for component in components(&rest, flat) {
        part.component(&component);
    }
    if regex || negated {
        part.children.by = By::Regex { negated };
    }
    if sorted && part.children.by == By::Name {
        part.children.names.sort_unstable();
        part.children.names.dedup();
    }
    Ok(NodePart { node: Node::Children(part.children), collect: part.collect, column: part.column })
}

/// The components; a `;` at the start is part of the first name.
fn components(text: &Piece, flat: bool) -> Vec<Piece> {
    if !flat {
        return text.tokens(&[',']);
    }
    let Some(inside) = text.as_str().strip_prefix(';') else { return text.tokens(&[',', ';']) };
    let first = inside.find([',', ';']).map_or(text.as_str().len(), |at| at + 1);
    let mut components = vec![text.slice(0..first)];
    components.extend(text.after(first).tokens(&[',', ';']));
    components
}

struct Part {
    children: Children,
    collect: bool,
    column: Option<String>,
}

impl Part {
    /// `default = "+[" text [ "|" integer ] "]" | "+%[" text [ "|" integer ] "]"`: gives what follows, if there is one.
    fn default(&mut self, text: &Piece) -> Result<Option<Piece>, Diagnostic> {
        let (prefix, attachment) = match text.as_str() {
            other if other.starts_with("+[") => (2, false),
            other if other.starts_with("+%[") => (3, true),
            _ => return Ok(None),
        };
        let inside = text.after(prefix);
        let Some(end) = inside.as_str().find(']') else { return Ok(None) };
        let (name, hits) = inside.slice(0..end).cut('|');
        let hits = match hits {
            None => 0,
            Some(hits) => hits.as_str().parse().map_err(|_| bad_number(&hits, "the hits of a default"))?,
        };
        self.collect = true;
        self.children.default = Some(DefaultNode { name: name.decode().as_str().to_owned(), hits });
        let mut rest = inside.after(end + 1);
        if attachment {
            // The first name is the attachment's.
            let name_end = rest.as_str().find([',', ';']).unwrap_or(rest.as_str().len());
            self.attachment(&rest.slice(0..name_end));
            rest = rest.after(name_end);
        }
        Ok(Some(rest))
    }

    /// `component = [ "*" | "+" [ "+" ] [ "@" ] [ "{" column "}" ] ] item`.
    fn component(&mut self, component: &Piece) {
        let mut rest = component.clone();
        let take = |rest: &mut Piece, prefix: char| {
            let found = rest.as_str().starts_with(prefix);
            if found {
                *rest = rest.after(1);
            }
            found
        };
        if !take(&mut rest, '*') && take(&mut rest, '+') {
            self.collect = true;
            if take(&mut rest, '+') {
                self.children.by = By::Prefix;
            }
            if take(&mut rest, '@') {
                self.children.by = By::Range;
            }
            if rest.as_str().starts_with('{')
                && let Some(end) = rest.as_str().find('}')
            {
                let column = rest.slice(1..end).decode();
                self.column.get_or_insert(column.as_str().to_owned());
                rest = rest.after(end + 1);
            }
        }
        self.item(&rest);
    }

    /// `item = "%?" | "%" attachment [ "=" argument ] | "@@" path | [ "@" ] name`.
    fn item(&mut self, item: &Piece) {
        let text = item.as_str();
        // Two lower-case escapes are names, all other percent signs start an attachment.
        if text.starts_with('%') && !text.starts_with("%2d") && !text.starts_with("%2c") {
            self.attachment(&item.after(1));
        } else if text.starts_with("@@") {
            let path = item.after(2).decode();
            let names = path.as_str().split('/').filter(|name| !name.is_empty()).map(str::to_owned);
            self.children.names_of = Some(names.collect());
        } else if text.starts_with('@') {
            self.children.by = By::Range;
            self.name(&item.after(1));
        } else {
            self.name(item);
        }
    }

    fn name(&mut self, name: &Piece) {
        if !name.is_empty() {
            self.children.names.push(name.decode().as_str().to_owned());
        }
    }

    fn attachment(&mut self, text: &Piece) {
        if text.as_str() == "?" {
            self.children.attachments.push(AttachmentNodes::Names);
            return;
        }
        let (name, argument) = text.cut('=');
        let decoded = |piece: &Piece| piece.decode().as_str().to_owned();
        let argument = argument.map(|argument| decoded(&argument));
        self.children.attachments.push(AttachmentNodes::Of { name: decoded(&name), argument });
    }
}
