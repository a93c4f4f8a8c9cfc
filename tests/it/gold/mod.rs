//! The recorded answers of the original systems.

mod aimql;
mod mql;
pub(crate) mod nql;
