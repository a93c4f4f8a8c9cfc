//! The recorded answers of the original systems.

mod aimql;
pub(crate) mod nql;
