//! The answer to a query: a schema at once, then batches as they come.

use crate::{Error, Result};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::TryFutureExt;
use futures::stream::{BoxStream, StreamExt, TryStreamExt, try_unfold};
use lakeql_query::diagnostic::Diagnostic;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Batches of an answer. Dropping the stream stops the query.
type Batches = BoxStream<'static, Result<RecordBatch>>;

/// The answer to a query.
pub struct Results {
    /// The columns; known before the first row, and when there is none.
    pub schema: SchemaRef,
    /// What there is to know about the query although it is answered.
    pub notes: Vec<Diagnostic>,
    /// The rows.
    pub stream: BoxStream<'static, Result<RecordBatch>>,
    /// What is being run. Afterwards its metrics tell what was read.
    pub plan: Arc<dyn ExecutionPlan>,
    /// Filled by the stream when it comes to its end.
    closing: Closing,
}

/// What is known about an answer only after its last row.
pub(crate) type Closing = Arc<Mutex<Vec<Diagnostic>>>;

impl Results {
    /// The answer that `stream` gives. After the deadline (which came from a limit of this length) there is an error
    /// instead of the next batch.
    pub(crate) fn new(
        plan: Arc<dyn ExecutionPlan>,
        stream: SendableRecordBatchStream,
        notes: Vec<Diagnostic>,
        deadline: Option<(Instant, Duration)>,
    ) -> Self {
        let schema = stream.schema();
        let stream = match deadline {
            None => stream.map_err(Error::from).boxed(),
            Some(deadline) => until(stream, deadline),
        };
        Self { schema, notes, stream, plan, closing: Closing::default() }
    }

    /// The same answer, whose stream leaves notes here when it comes to its end.
    pub(crate) fn closing_in(mut self, closing: Closing) -> Self {
        self.closing = closing;
        self
    }

    /// What is known about the answer only after its last row, such as how many points had to be dropped. A handle that
    /// outlives the answer, to be asked when the stream has ended.
    pub fn closing_notes(&self) -> impl Fn() -> Vec<Diagnostic> + Send + use<> {
        let closing = Arc::clone(&self.closing);
        move || closing.lock().map(|notes| notes.clone()).unwrap_or_default()
    }

    /// The next batch, or nothing after the last one.
    ///
    /// # Errors
    /// Reading or computing failed, or the time is up.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.stream.try_next().await
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Results::next`].
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        self.stream.try_collect().await
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("schema", &self.schema).field("notes", &self.notes).finish_non_exhaustive()
    }
}

/// The value of the work, or an error if the deadline comes first.
pub(crate) async fn within<T>(
    deadline: Option<(Instant, Duration)>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match deadline {
        None => work.await,
        Some((end, limit)) => tokio::time::timeout_at(end.into(), work).await.unwrap_or(Err(Error::Timeout(limit))),
    }
}

fn until(stream: SendableRecordBatchStream, deadline: (Instant, Duration)) -> Batches {
    try_unfold(stream, move |mut stream| async move {
        let batch = within(Some(deadline), stream.try_next().map_err(Error::from)).await?;
        Ok(batch.map(|batch| (batch, stream)))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Schema;
    use datafusion::physical_plan::empty::EmptyExec;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

    fn results(
        batches: impl futures::Stream<Item = datafusion::error::Result<RecordBatch>> + Send + 'static,
        deadline: Option<(Instant, Duration)>,
    ) -> Results {
        let schema = Arc::new(Schema::empty());
        let stream = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), batches));
        Results::new(Arc::new(EmptyExec::new(schema)), stream, vec![], deadline)
    }

    fn batch() -> RecordBatch {
        RecordBatch::new_empty(Arc::new(Schema::empty()))
    }

    #[tokio::test]
    async fn batches_come_until_the_end() {
        for deadline in [None, Some((Instant::now() + Duration::from_secs(60), Duration::from_secs(60)))] {
            let two = || futures::stream::iter([Ok(batch()), Ok(batch())]);
            assert_eq!(results(two(), deadline).collect().await.unwrap().len(), 2);
            let mut one_by_one = results(two(), deadline);
            assert!(one_by_one.next().await.unwrap().is_some());
            assert!(one_by_one.next().await.unwrap().is_some());
            assert!(one_by_one.next().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn the_time_is_bounded() {
        let limit = Duration::from_millis(5);
        let mut late = results(futures::stream::pending(), Some((Instant::now() + limit, limit)));
        assert!(matches!(late.next().await, Err(Error::Timeout(it)) if it == limit));
        let planning = within::<()>(Some((Instant::now() + limit, limit)), futures::future::pending()).await;
        assert!(matches!(planning, Err(Error::Timeout(it)) if it == limit));
    }
}
