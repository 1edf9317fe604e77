//! From the SDK's errors to ours.

use std::error::Error;

use aws_sdk_bedrockruntime::{
    error::{ProvideErrorMetadata, SdkError},
    types::error::ConverseStreamOutputError,
};
use aws_smithy_types::event_stream::RawMessage;

use crate::{
    LlmError,
    status::{shortened, stream_error},
};

/// The error of a call: the transport's own, which the SDK carries inside its error, or that the
/// SDK does not understand the answer.
pub(super) fn of_call(error: &(dyn Error + 'static)) -> LlmError {
    let mut innermost = error;
    loop {
        if let Some(error) = innermost.downcast_ref::<LlmError>() {
            return error.clone();
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    LlmError::Malformed {
        message: shortened(&innermost.to_string()),
    }
}

/// The error of a stream: what an exception in it stands for, or the same as of a call.
pub(super) fn of_stream(error: &SdkError<ConverseStreamOutputError, RawMessage>) -> LlmError {
    match error {
        SdkError::ServiceError(context) => exception(context.err()),
        other => of_call(other),
    }
}

fn exception(exception: &ConverseStreamOutputError) -> LlmError {
    let stands_for = match exception {
        ConverseStreamOutputError::ValidationException(_) => Some(400),
        ConverseStreamOutputError::ModelStreamErrorException(_) => Some(424),
        ConverseStreamOutputError::ThrottlingException(_) => Some(429),
        ConverseStreamOutputError::InternalServerException(_) => Some(500),
        ConverseStreamOutputError::ServiceUnavailableException(_) => Some(503),
        _ => None,
    };
    let code = exception.code().unwrap_or("exception");
    let message = exception.message().unwrap_or_default();
    stream_error(stands_for, &format!("{code}: {message}"))
}
