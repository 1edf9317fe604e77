/** What the bodies of right answers look like. */

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

/**
 * @param {'books'|'authors'} name
 * @param {(item: any) => boolean} shape
 * @returns {(result: any) => boolean} whether it is the result of a bulk request
 */
export function isBulkOf(name, shape) {
  return (result) => isMessage(result) && Array.isArray(result[name]) && result[name].every(shape);
}

/** @param {any} value a problem document (RFC 9457) with the message that old clients read */
export function isProblem(value) {
  return isMessage(value) && isText(value.type) && isText(value.title) && Number.isInteger(value.status);
}

/** @param {any} value a problem document that names at least one field with a reason */
export function isInvalidField(value) {
  return isProblem(value) && isObject(value.errors) && Object.values(value.errors).some((reasons) => reasons.length > 0);
}

/** @param {any} value an answer of the error lab */
export function isLabError(value) {
  return isMessage(value) && isText(value.error);
}

/** @param {any} value */
export function isProviderList(value) {
  return (
    isObject(value) &&
    isText(value.defaultProvider) &&
    Array.isArray(value.availableProviders) &&
    Array.isArray(value.providers) &&
    value.providers.every((p) => isText(p.name) && isText(p.circuit) && ['configured', 'simulated'].every((flag) => typeof p[flag] === 'boolean'))
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
