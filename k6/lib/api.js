/** The calls that the suites make: one entry per route, one function that sends it. */
import http from 'k6/http';
import { verify } from './checks.js';
import { deadlineSeconds } from './deadlines.js';
import {
  isAuthor,
  isBook,
  isBulkOf,
  isEmpty,
  isLabError,
  isMessage,
  isPageOf,
  isProviderList,
  isSearchResult,
  isSummary,
  isText,
} from './shapes.js';
import { nameTrace, newTrace } from './tracing.js';

/**
 * @typedef {object} Route
 * @property {'GET'|'POST'|'PUT'|'PATCH'|'DELETE'} method
 * @property {string} path template; its text is the request's name in every metric
 * @property {'catalogue'|'ai'|'ops'|'refused'|'setup'} routeClass
 * @property {number|readonly number[]} status of a right answer
 * @property {(body: any) => boolean} shape of a right answer
 * @property {boolean} [uncounted] neither a success nor a failure in http_req_failed
 * @property {boolean} [unchecked] in no check
 */

const BOOKS = '/api/v1/books';
const BOOK = '/api/v1/books/{id}';
const AUTHORS = '/api/v1/authors';
const AUTHOR = '/api/v1/authors/{id}';

/** @type {Record<string, Route>} */
export const ROUTES = {
  health: route('GET', '/health', 'ops', 200, isText),
  metrics: route('GET', '/metrics', 'ops', 200, isText),
  seedData: route('POST', '/seed-data', 'ops', 200, isMessage),
  listProviders: route('GET', '/api/v1/books/llm-providers', 'ops', 200, isProviderList),
  listBooks: route('GET', BOOKS, 'catalogue', 200, isPageOf('books', isBook)),
  getBook: route('GET', BOOK, 'catalogue', 200, isBook),
  searchBooks: route('GET', '/api/v1/books/search', 'catalogue', 200, isSearchResult),
  createBook: route('POST', BOOKS, 'catalogue', 201, isBook),
  createBooks: route('POST', '/api/v1/books/bulk', 'catalogue', 200, isBulkOf('books', isBook)),
  replaceBook: route('PUT', BOOK, 'catalogue', 200, isBook),
  patchBook: route('PATCH', BOOK, 'catalogue', 200, isBook),
  deleteBook: route('DELETE', BOOK, 'catalogue', 204, isEmpty),
  listAuthors: route('GET', AUTHORS, 'catalogue', 200, isPageOf('authors', isAuthor)),
  getAuthor: route('GET', AUTHOR, 'catalogue', 200, isAuthor),
  createAuthor: route('POST', AUTHORS, 'catalogue', 201, isAuthor),
  createAuthors: route('POST', '/api/v1/authors/bulk', 'catalogue', 200, isBulkOf('authors', isAuthor)),
  replaceAuthor: route('PUT', AUTHOR, 'catalogue', 200, isAuthor),
  patchAuthor: route('PATCH', AUTHOR, 'catalogue', 200, isAuthor),
  deleteAuthor: route('DELETE', AUTHOR, 'catalogue', 204, isEmpty),
  generateSummary: route('POST', '/api/v1/books/{id}/generate-summary', 'ai', 200, isSummary),
  streamSummary: route('POST', '/api/v1/books/{id}/generate-summary', 'ai', 200, isText),
  errorLab: route('GET', '/api/v1/errortest/{id}', 'ops', 200, isLabError),
};

/**
 * The same route where another answer is the right one.
 * @param {Route} route
 * @param {number|readonly number[]} status
 * @param {(body: any) => boolean} shape
 * @param {Partial<Route>} [more]
 * @returns {Route}
 */
export function expecting(route, status, shape, more = {}) {
  return { ...route, status, shape, ...more };
}

/**
 * @typedef {object} Call
 * @property {string} [id] takes the place of {id}
 * @property {Record<string, string|number|boolean>} [query]
 * @property {any} [json] body
 * @property {string} [body] a body as it stands, in the place of json
 * @property {Record<string, string>} [headers]
 * @property {string} [timeout] in the place of the route's
 */

/** @typedef {(route: Route, call?: Call) => Answer} Send */

/**
 * @typedef {object} Answer
 * @property {boolean} ok status and shape are right
 * @property {any} body parsed JSON, text, or null
 * @property {import('k6/http').RefinedResponse<'text'>} response
 * @property {string} traceId
 */

/**
 * Sends calls under one journey.
 * @param {import('./config.js').Config} config
 * @param {string} journey the kind of user, a tag of each request
 * @param {Record<string, string>} [headers] of each call
 * @returns {Send}
 */
export function client(config, journey, headers = {}) {
  return (route, call = {}) => {
    const trace = newTrace(config);
    nameTrace(trace);
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    const own = { ...trace.headers, ...headers, ...call.headers };
    const settings = params(config, route, journey, call, requestHeaders(own, body));
    const response = http.request(route.method, url(config, route, call), body === undefined ? null : body, settings);
    return { ...verify(route, response, trace.traceId), response, traceId: trace.traceId };
  };
}

/**
 * Sends calls that prepare or clean up. They are a class of their own, `setup`, and neither
 * checked nor counted as failures, so that they enter nothing that a run judges.
 * @param {import('./config.js').Config} config
 * @param {Record<string, string>} [headers] of each call
 * @returns {Send}
 */
export function setupClient(config, headers) {
  const send = client(config, 'setup', headers);
  return (route, call) => send({ ...route, routeClass: 'setup', uncounted: true, unchecked: true }, call);
}

function route(method, path, routeClass, status, shape) {
  return { method, path, routeClass, status, shape };
}

function url(config, route, call) {
  const path = call.id === undefined ? route.path : route.path.replace('{id}', () => call.id);
  const query = Object.entries(call.query || {})
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return config.baseUrl + path + (query && `?${query}`);
}

function params(config, route, journey, call, headers) {
  const tags = { name: `${route.method} ${route.path}`, route_class: route.routeClass, journey };
  return {
    headers,
    tags: route.routeClass === 'ai' ? { ...tags, provider: config.provider || 'default' } : tags,
    timeout: call.timeout || `${deadlineSeconds(route.routeClass)}s`,
    responseCallback: responseCallback(route),
  };
}

function requestHeaders(own, body) {
  const accepted = { Accept: 'application/json, */*;q=0.1' };
  return body === undefined ? { ...accepted, ...own } : { ...accepted, 'Content-Type': 'application/json', ...own };
}

/** By their statuses: one for each route, because making one costs as much as a request. */
const callbacks = new Map();

/** What k6 counts as a failed request: any status but the expected ones. */
function responseCallback({ status, uncounted }) {
  if (uncounted) return null;
  const statuses = [status].flat();
  const key = statuses.join();
  if (!callbacks.has(key)) callbacks.set(key, http.expectedStatuses(...statuses));
  return callbacks.get(key);
}
