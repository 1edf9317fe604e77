/** What a right answer looks like: the status and the shape of each kind of body. */
import { check } from 'k6';

/** Enough to see what is wrong; a broken server would otherwise fill the log. */
const LOGGED_FAILURES_PER_USER = 5;

/** Characters of a wrong body that are worth reading. */
const LOGGED_BODY = 200;

let logged = 0;

/**
 * Checks status and shape of an answer, and logs the first wrong ones with their trace id.
 * @param {import('./api.js').Route} route
 * @param {import('k6/http').RefinedResponse<'text'>} response
 * @param {string} traceId
 * @returns {{ok: boolean, body: any}} body: the parsed JSON, the text of other kinds, or null
 */
export function verify(route, response, traceId) {
  const body = content(response);
  const label = `${route.method} ${route.path}`;
  const ok = check(response, {
    [`${label}: status ${route.status}`]: (res) => res.status === route.status,
    [`${label}: shape`]: () => body !== undefined && route.shape(body),
  });
  if (!ok && logged < LOGGED_FAILURES_PER_USER) {
    logged += 1;
    const seen = response.error || String(response.body || '').slice(0, LOGGED_BODY);
    console.warn(`${label}: wrong answer, status ${response.status}, trace ${traceId}: ${seen}`);
  }
  return { ok, body: body === undefined ? null : body };
}

/** The body after its content type; undefined when it is not what it claims to be. */
function content(response) {
  if (!response.body) return null;
  if (!/^application\/([a-z.]+\+)?json\b/.test(response.headers['Content-Type'] || '')) return response.body;
  try {
    return JSON.parse(response.body);
  } catch {
    return undefined;
  }
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isTime = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT.+Z$/.test(value);
const isId = (value) => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value);
const areTexts = (object, names) => names.every((name) => typeof object[name] === 'string');

/** @param {any} value */
export function isEmpty(value) {
  return value === null;
}

/** @param {any} value */
export function isText(value) {
  return typeof value === 'string' && value.length > 0;
}

/** @param {any} value */
export function isMessage(value) {
  return isObject(value) && isText(value.message);
}

/** @param {any} book */
export function isBook(book) {
  return (
    isObject(book) &&
    isId(book.id) &&
    areTexts(book, ['title', 'author', 'isbn', 'genre', 'description']) &&
    typeof book.price === 'number' &&
    isCount(book.stockQuantity) &&
    isTime(book.createdAt) &&
    isTime(book.updatedAt)
  );
}

/** @param {any} author */
export function isAuthor(author) {
  return (
    isObject(author) &&
    isId(author.id) &&
    areTexts(author, ['name', 'bio', 'nationality', 'website']) &&
    isTime(author.createdAt) &&
    isTime(author.updatedAt)
  );
}

/**
 * @param {'books'|'authors'} name
 * @param {(item: any) => boolean} shape
 * @returns {(page: any) => boolean} whether it is a page of the list
 */
export function isPageOf(name, shape) {
  return (page) =>
    isObject(page) &&
    ['totalCount', 'page', 'pageSize', 'totalPages'].every((field) => isCount(page[field])) &&
    Array.isArray(page[name]) &&
    page[name].length <= page.pageSize &&
    page[name].every(shape);
}

/** @param {any} value the bare array of a search */
export function isSearchResult(value) {
  return Array.isArray(value) && value.length <= 50 && value.every(isBook);
}

/** @param {any} value */
export function isBulkResult(value) {
  return isMessage(value) && Array.isArray(value.books) && value.books.every(isBook);
}

/** @param {any} value */
export function isProviderList(value) {
  return (
    isObject(value) &&
    isText(value.defaultProvider) &&
    Array.isArray(value.availableProviders) &&
    Array.isArray(value.providers) &&
    value.providers.every((p) => isText(p.name) && typeof p.configured === 'boolean' && typeof p.simulated === 'boolean')
  );
}

/** @param {any} value a summary with the usage and the exact cost of its model call */
export function isSummary(value) {
  return (
    isObject(value) &&
    isId(value.bookId) &&
    ['title', 'author', 'provider', 'model', 'aiGeneratedSummary'].every((name) => isText(value[name])) &&
    typeof value.simulated === 'boolean' &&
    isObject(value.usage) &&
    isCount(value.usage.inputTokens) &&
    isCount(value.usage.outputTokens) &&
    isObject(value.cost) &&
    (value.cost.picoUsd === null || isCount(value.cost.picoUsd))
  );
}
