//! The recorded answers of the original systems.

mod aimql;
mod nql;
