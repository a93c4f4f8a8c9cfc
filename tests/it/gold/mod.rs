//! The recorded answers of the original systems.

mod aimql;
mod mixtera;
pub(crate) mod nql;
