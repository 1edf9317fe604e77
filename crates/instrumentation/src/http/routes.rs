//! Metric handles by route, made once and looked up by each request.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use http::{Method, StatusCode};
use metrics::{Gauge, Histogram};

use super::{RouteClass, ending::Ending};
use crate::catalogue;

/// Handles by method and route. Routes come from the router and methods from a list, so the map is
/// bounded by their product.
#[derive(Default)]
pub(super) struct Routes(RwLock<HashMap<&'static str, HashMap<String, Arc<RouteHandles>>>>);

/// The series of one method and route.
pub(super) struct RouteHandles {
    pub(super) method: &'static str,
    pub(super) route: Arc<str>,
    /// That of the span of a request. Leaked: there are as many as the map has handles.
    pub(super) span_name: &'static str,
    pub(super) class: RouteClass,
    pub(super) active: Gauge,
    pub(super) request_size: Histogram,
    pub(super) response_size: Histogram,
    durations: RwLock<Vec<(StatusCode, Ending, Histogram)>>,
}

impl Routes {
    pub(super) fn get(
        &self,
        method: &'static str,
        route: &str,
        classify: fn(&str) -> RouteClass,
    ) -> Arc<RouteHandles> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handles) = known.get(method).and_then(|routes| routes.get(route)) {
            return Arc::clone(handles);
        }
        drop(known);
        let handles = Arc::new(RouteHandles::new(method, route, classify(route)));
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let routes = routes.entry(method).or_default();
        Arc::clone(routes.entry(route.to_owned()).or_insert(handles))
    }
}

impl RouteHandles {
    fn new(method: &'static str, route: &str, class: RouteClass) -> Self {
        let by_route = [("http.route", route)];
        Self {
            method,
            route: route.into(),
            span_name: format!("{method} {route}").leak().trim_end(),
            class,
            active: catalogue::HTTP_SERVER_ACTIVE_REQUESTS
                .gauge(&[("http.request.method", method), ("http.route", route)]),
            request_size: catalogue::HTTP_SERVER_REQUEST_BODY_SIZE.histogram(&by_route),
            response_size: catalogue::HTTP_SERVER_RESPONSE_BODY_SIZE.histogram(&by_route),
            durations: RwLock::default(),
        }
    }

    pub(super) fn record_duration(&self, status: StatusCode, ending: Ending, seconds: f64) {
        let known = self
            .durations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let same = |(known, how, _): &&(StatusCode, Ending, _)| *known == status && *how == ending;
        if let Some((.., histogram)) = known.iter().find(same) {
            histogram.record(seconds);
            return;
        }
        drop(known);
        let histogram = catalogue::HTTP_SERVER_REQUEST_DURATION.histogram(&[
            ("http.request.method", self.method),
            ("http.route", &self.route),
            ("http.response.status_code", status.as_str()),
            ("error.type", ending.error_type(&status).unwrap_or("")),
            ("route_class", self.class.as_str()),
        ]);
        histogram.record(seconds);
        let mut durations = self
            .durations
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !durations.iter().any(|known| same(&known)) {
            durations.push((status, ending, histogram));
        }
    }
}

/// The method as a label: anybody can send any word, so unknown ones share a value.
pub(super) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
