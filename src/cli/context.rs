//! What every verb is given.

use crate::args::Global;
use crate::failure::Failure;
use crate::talk::Talk;
use lakeql_engine::Session;
use lakeql_lake::{Lake, Snapshot};
use std::sync::Arc;

/// The flags of the whole program and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) talk: Talk,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        let talk = Talk::new(&global);
        Self { global, talk }
    }

    /// The version of the lake that the flags name, without an engine around it.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, Failure> {
        let lake = Lake::open(&self.global.lake).await?;
        Ok(lake.snapshot(self.global.as_of.unwrap_or_default()).await?)
    }

    /// Opens the lake for queries.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let mut builder = Session::builder(&self.global.lake);
        if let Some(as_of) = self.global.as_of {
            builder = builder.as_of(as_of);
        }
        if let Some(bytes) = self.global.memory {
            builder = builder.memory_bytes(bytes);
        }
        if let Some(threads) = self.global.threads {
            builder = builder.threads(threads.get());
        }
        if let Some(timeout) = self.global.timeout {
            builder = builder.timeout(timeout);
        }
        Ok(builder.build().await?)
    }
}
