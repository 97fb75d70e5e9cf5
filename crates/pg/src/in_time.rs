//! What becomes of a pooled connection whose server did not answer in time.

use crate::Client;
use deadpool_postgres::Object;
use tokio::time::error::Elapsed;

/// The outcome of what was run on a connection under a timeout. A connection that did not answer in time is closed,
/// not given back: whoever got it next would wait behind what it still owes.
pub fn in_time<T>(client: Client, done: Result<T, Elapsed>) -> Result<T, Elapsed> {
    if done.is_err() {
        drop(Object::take(client));
    }
    done
}
