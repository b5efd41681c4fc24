//! Gathering a body, bounded: the one place that holds a whole body in memory.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Why a body could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is longer than the caller is ready to hold.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// It ended before it was whole.
    #[error("the body was cut short")]
    Cut(#[source] Box<dyn StdError + Send + Sync>),
}

/// Reads `body` to its end, at most `limit` bytes of it.
pub async fn read_limited<B>(mut body: B, limit: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ReadError::Cut(error.into()))?;
        if let Some(data) = frame.data_ref() {
            if whole.len() + data.len() > limit {
                return Err(ReadError::TooLong { limit });
            }
            whole.extend_from_slice(data);
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit_and_no_further() {
        let body = || Full::new(Bytes::from_static(b"12345"));
        assert_eq!(read_limited(body(), 5).await.unwrap(), "12345");
        assert!(matches!(read_limited(body(), 4).await, Err(ReadError::TooLong { limit: 4 })));
    }
}
