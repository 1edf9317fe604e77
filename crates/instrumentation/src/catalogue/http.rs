//! Requests that a process serves and those that it sends.

use super::metrics_family;
use crate::buckets::{BODY_SIZE, DURATION};

metrics_family! {
    family HTTP_FAMILY;

    HTTP_SERVER_REQUEST_DURATION = Histogram "http.server.request.duration" as "http_server_request_duration_seconds",
        "s", ["http.request.method", "http.route", "http.response.status_code", "error.type", "route_class"], DURATION,
        "Time from a request's head to its reply, to the last byte of a streamed one.";
    HTTP_SERVER_ACTIVE_REQUESTS = Gauge "http.server.active_requests" as "http_server_active_requests",
        "{request}", ["http.request.method", "http.route"], &[],
        "Requests being served now.";
    HTTP_SERVER_REQUEST_BODY_SIZE = Histogram "http.server.request.body.size" as "http_server_request_body_size_bytes",
        "By", ["http.route"], BODY_SIZE,
        "Size of request bodies whose length was announced.";
    HTTP_SERVER_RESPONSE_BODY_SIZE = Histogram "http.server.response.body.size" as "http_server_response_body_size_bytes",
        "By", ["http.route"], BODY_SIZE,
        "Size of reply bodies, streamed ones counted at their end.";
    HTTP_CLIENT_REQUEST_DURATION = Histogram "http.client.request.duration" as "http_client_request_duration_seconds",
        "s", ["server.address", "http.request.method", "http.response.status_code"], DURATION,
        "Time from sending a request to the head of its reply; status 0 when there was none.";
}
