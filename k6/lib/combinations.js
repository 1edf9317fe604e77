/**
 * Crosses values (data/) with the places that take them. A case is one request and the answer that
 * the contract promises to it.
 */
import * as boundaries from '../data/boundaries.js';
import { TEXTS } from '../data/texts.js';
import { LAB_STATUSES, NOBODY } from './mistakes.js';

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} dimension what is crossed; the journey of its requests
 * @property {any} method
 * @property {string} path template of the route
 * @property {string} [resource] books or authors
 * @property {string} [id] in the place of {id}; `OURS` is that of an entity of the run
 * @property {Record<string, string>} [query]
 * @property {any} [json]
 * @property {string} [body]
 * @property {Record<string, string>} [headers]
 * @property {number} status
 * @property {string} shape entity, invalid, problem, page, list or lab
 * @property {any[]} [keeps] member of the answer, and its value
 */

const RESOURCES = Object.freeze({
  books: { path: '/api/v1/books', required: { title: 'A combination', author: 'Combination' } },
  authors: { path: '/api/v1/authors', required: { name: 'Combination' } },
});

const CREATED = 201;
const METHODS_WITH_BODY = ['POST', 'PUT', 'PATCH'];

/** @returns {Case[]} all of them, always in the same order */
export function combinations() {
  return [texts(), searches(), lengths(), values(), types(), pages(), ids(), bodies(), contentTypes(), lab()].flat();
}

/** Each text in each text field, by each method that writes. */
function texts() {
  return fieldsOf(boundaries.TEXT_LIMITS).flatMap(([resource, field, [least]]) =>
    METHODS_WITH_BODY.flatMap((method) =>
      TEXTS.map(({ label, text, fits }) => {
        const taken = fits === 'any' || (fits === 'optional' && least === 0);
        return write('texts', method, resource, field, text, taken, text, label);
      }),
    ),
  );
}

/** Each text as a query: a search finds it or nothing, and never fails. */
function searches() {
  const search = TEXTS.map(({ label, text, fits }) => {
    const right = fits === 'any' ? { status: 200, shape: 'list' } : { status: 400, shape: 'invalid' };
    return { name: `search for ${label}`, dimension: 'searches', method: 'GET', path: '/api/v1/books/search', query: { query: text }, ...right };
  });
  const filter = TEXTS.map(({ label, text }) => {
    const query = { genre: text };
    return { name: `genre of ${label}`, dimension: 'searches', method: 'GET', path: '/api/v1/books', resource: 'books', query, status: 200, shape: 'page' };
  });
  return [...search, ...filter];
}

/** Texts just within and just beyond their longest, counted in characters, not in bytes. */
function lengths() {
  return fieldsOf(boundaries.TEXT_LIMITS).flatMap(([resource, field, [, most]]) =>
    ['POST', 'PATCH'].flatMap((method) =>
      ['x', 'é', '\u{1D518}'].flatMap((character) =>
        [most, most + 1].map((length) => {
          const text = character.repeat(length);
          return write('lengths', method, resource, field, text, length <= most, text, `${length} of ${character}`);
        }),
      ),
    ),
  );
}

/** Numbers, book numbers and dates at their bounds. */
function values() {
  /** @type {ReadonlyArray<readonly [string, string, readonly boundaries.Value[]]>} */
  const crossed = [
    ['books', 'price', boundaries.PRICES],
    ['books', 'stockQuantity', boundaries.STOCKS],
    ['books', 'isbn', boundaries.ISBNS],
    ['books', 'publishedDate', boundaries.DATES],
    ['authors', 'birthDate', boundaries.DATES],
  ];
  return crossed.flatMap(([resource, field, list]) =>
    METHODS_WITH_BODY.flatMap((method) =>
      list.map(({ value, taken, kept = value }) => write('values', method, resource, field, value, taken, kept, JSON.stringify(value))),
    ),
  );
}

/** Text fields take texts only. */
function types() {
  return fieldsOf(boundaries.TEXT_LIMITS).flatMap(([resource, field]) =>
    ['POST', 'PATCH'].flatMap((method) =>
      boundaries.WRONG_TYPES.map((value) => write('types', method, resource, field, value, false, null, JSON.stringify(value))),
    ),
  );
}

function pages() {
  return Object.entries(RESOURCES).flatMap(([resource, { path }]) => {
    const of = (query, right, keeps) => ({
      name: `${resource} ${JSON.stringify(query)}`,
      dimension: 'pages', method: 'GET', path, resource, query, keeps,
      ...(right ? { status: 200, shape: 'page' } : { status: 400, shape: 'invalid' }),
    });
    return [
      ...boundaries.PAGES.map(([page, right]) => of({ page }, right, right ? ['page', Number(page)] : undefined)),
      ...boundaries.PAGE_SIZES.map(([pageSize, served]) => of({ pageSize }, served > 0, served > 0 ? ['pageSize', served] : undefined)),
    ];
  });
}

/** Ids that are none, and ids of nobody, on each route that has one. */
function ids() {
  /** @type {[string, string, {json?: any}][]} */
  const routes = [['POST', `${RESOURCES.books.path}/{id}/generate-summary`, {}]];
  for (const { path, required } of Object.values(RESOURCES)) {
    routes.push(['GET', `${path}/{id}`, {}], ['DELETE', `${path}/{id}`, {}]);
    routes.push(['PUT', `${path}/{id}`, { json: required }], ['PATCH', `${path}/{id}`, { json: firstOf(required) }]);
  }
  return routes.flatMap(([method, path, call]) => [
    ...boundaries.MALFORMED_IDS.map((id) => ({ name: `${method} ${path} of ${id}`, dimension: 'ids', method, path, id, ...call, status: 400, shape: 'invalid' })),
    ...boundaries.UNKNOWN_IDS.map((id) => ({ name: `${method} ${path} of ${id}`, dimension: 'ids', method, path, id, ...call, status: 404, shape: 'problem' })),
  ]);
}

/** What is no JSON object, where one is needed. Whether there is such an entity is asked after that. */
function bodies() {
  return writers().flatMap(([method, path]) =>
    boundaries.BROKEN_BODIES.map((body) => ({
      name: `${method} ${path} with ${JSON.stringify(body)}`,
      dimension: 'bodies', method, path, id: NOBODY, body,
      headers: { 'Content-Type': 'application/json' },
      status: 400, shape: 'invalid',
    })),
  );
}

function contentTypes() {
  return writers().filter(([method]) => method !== 'POST').flatMap(([method, path, resource]) =>
    boundaries.CONTENT_TYPES.map(([type, read]) => ({
      name: `${method} ${path} as ${type}`,
      dimension: 'content types', method, path, resource, id: 'OURS',
      body: JSON.stringify(RESOURCES[resource].required),
      headers: { 'Content-Type': type },
      ...(read ? { status: 200, shape: 'entity' } : { status: 415, shape: 'problem' }),
    })),
  );
}

/** Each status by GET; the lab takes no other method. */
function lab() {
  const path = '/api/v1/errortest/{id}';
  return LAB_STATUSES.flatMap((code) => [
    { name: `error ${code}`, dimension: 'error lab', method: 'GET', path, id: String(code), status: code, shape: 'lab' },
    ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => (
      { name: `error ${code} by ${method}`, dimension: 'error lab', method, path, id: String(code), status: 405, shape: 'problem' }
    )),
  ]);
}

/** A write of one field; the others are such as are always right. */
function write(dimension, method, resource, field, value, taken, kept, label) {
  const { path, required } = RESOURCES[resource];
  const isNew = method === 'POST';
  const json = method === 'PATCH' ? { [field]: value } : { ...required, [field]: value };
  const right = taken ? { status: isNew ? CREATED : 200, shape: 'entity', keeps: [field, kept] } : { status: 400, shape: 'invalid' };
  return {
    name: `${method} ${resource} ${field} ${label}`,
    dimension, method, resource, json,
    path: isNew ? path : `${path}/{id}`,
    ...(isNew ? {} : { id: 'OURS' }),
    ...right,
  };
}

function writers() {
  return Object.entries(RESOURCES).flatMap(([resource, { path }]) => [
    ['POST', path, resource],
    ['PUT', `${path}/{id}`, resource],
    ['PATCH', `${path}/{id}`, resource],
  ]);
}

function fieldsOf(limits) {
  return Object.entries(limits).flatMap(([resource, fields]) => Object.entries(fields).map(([field, bounds]) => [resource, field, bounds]));
}

function firstOf(object) {
  const [name, value] = Object.entries(object)[0];
  return { [name]: value };
}
