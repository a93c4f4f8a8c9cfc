//! Paths as text, for `explain`: a line for each element.

use super::{AttachmentNodes, Bounds, By, Children, Element, Node, Path};
use std::fmt::{Display, Formatter, Result};

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.elements.is_empty() {
            return writeln!(f, "the root");
        }
        self.elements.iter().enumerate().try_for_each(|(number, element)| writeln!(f, "{}. {element}", number + 1))
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.node {
            Node::Parent => write!(f, "the node before")?,
            Node::Children(children) => write!(f, "{children}")?,
        }
        if self.skip > 0 {
            write!(f, ", skip {}", self.skip)?;
        }
        if self.limit > 0 {
            write!(f, ", at most {}", self.limit)?;
        }
        if self.collect {
            match &self.column {
                Some(column) => write!(f, ", name as {column}")?,
                None => write!(f, ", name")?,
            }
        }
        for property in &self.properties {
            let shown = if property.show { "" } else { "where " };
            write!(f, ", {shown}{}{}", property.name, property.bounds)?;
        }
        for field in &self.fields {
            let shown = if field.show { "" } else { "where " };
            let size = if field.size { "size of " } else { "" };
            write!(f, ", {shown}{size}${}", field.attachment)?;
            for key in &field.keys {
                write!(f, "={}{}", key.name.as_deref().unwrap_or_default(), key.bounds)?;
            }
        }
        if self.lenient { write!(f, ", empty cells allowed") } else { Ok(()) }
    }
}

impl Display for Children {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let names = self.names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        match self.by {
            _ if self.all() => write!(f, "all children")?,
            By::Name if self.names.is_empty() => write!(f, "nodes")?,
            By::Name => write!(f, "children {names}")?,
            By::Prefix => write!(f, "children that start with {names}")?,
            By::Range => write!(f, "children from, to before {names}")?,
            By::Regex { negated: false } => write!(f, "children that match {names}")?,
            By::Regex { negated: true } => write!(f, "children that do not match {names}")?,
        }
        if let Some(path) = &self.names_of {
            write!(f, ", children named as those of {:?}", path.join("/"))?;
        }
        for attachment in &self.attachments {
            match attachment {
                AttachmentNodes::Names => write!(f, ", names of attachments")?,
                AttachmentNodes::Of { name, argument: None } => write!(f, ", nodes of {name:?}")?,
                AttachmentNodes::Of { name, argument: Some(argument) } => {
                    write!(f, ", nodes of {name:?} {argument:?}")?
                }
            }
        }
        if self.flat {
            write!(f, ", in one row")?;
        }
        match &self.default {
            Some(default) => write!(f, ", else {:?} with {} hits", default.name, default.hits),
            None => Ok(()),
        }
    }
}

impl Display for Bounds {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (sign, bound) in [('<', self.less), ('>', self.greater), ('=', self.equal)] {
            if let Some(bound) = bound {
                write!(f, "{sign}{bound}")?;
            }
        }
        Ok(())
    }
}
