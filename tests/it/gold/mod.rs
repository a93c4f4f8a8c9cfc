//! The recorded answers of the original systems.

mod aimql;
pub(crate) mod mixtera;
pub(crate) mod mql;
pub(crate) mod nql;
