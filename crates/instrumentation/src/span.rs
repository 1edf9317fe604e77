//! Spans below a request.

/// A span of kind CLIENT below the current one, or [`tracing::Span::none`] when the current
/// request's trace is not sampled.
///
/// The first argument is a literal name; give `otel.name` for one that is known at run time. Fields
/// that are recorded later are declared as `tracing::field::Empty`.
#[macro_export]
macro_rules! client_span {
    ($name:literal $(, $($fields:tt)*)?) => {
        if $crate::request::is_recording() {
            $crate::__tracing::info_span!($name, otel.kind = "client" $(, $($fields)*)?)
        } else {
            $crate::__tracing::Span::none()
        }
    };
}
