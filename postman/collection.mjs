// A Postman collection (schema 2.1) from requests that are described in a few words.
import { createHash } from 'node:crypto';

const SCHEMA = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';

/**
 * @typedef {object} Description
 * @property {string} name
 * @property {string} method
 * @property {string} path after the base URL, with {{variables}} and a query
 * @property {any} [json] body; a text is sent as it stands
 * @property {Record<string, string>} [headers]
 * @property {string} [base] name of the variable with the base URL
 * @property {number|number[]} status
 * @property {string[]} tests lines of script, most made by the functions below
 */

/** A test of one expression on the reply's JSON, which is `body` in it. */
export function expects(what, expression) {
  return `pm.test(${JSON.stringify(what)}, () => { const body = pm.response.json(); ${expression}; });`;
}

/** A test that the member of the reply's JSON has this value. */
export function has(path, value) {
  return expects(`${path} is ${JSON.stringify(value)}`, `pm.expect(body.${path}).to.eql(${JSON.stringify(value)})`);
}

/** A test that these members are in the reply's JSON. */
export function members(...names) {
  return expects(`has ${names.join(', ')}`, `pm.expect(body).to.include.all.keys(${JSON.stringify(names)})`);
}

/** A test of a header. */
export function header(name, pattern) {
  return `pm.test(${JSON.stringify(`${name} matches ${pattern}`)}, () => { pm.expect(pm.response.headers.get(${JSON.stringify(name)})).to.match(${pattern}); });`;
}

/** A test that the reply is a problem document. */
export function problem(field) {
  const named = field ? `; pm.expect(body.errors).to.have.property(${JSON.stringify(field)})` : '';
  return `pm.test(${JSON.stringify(field ? `is a problem of ${field}` : 'is a problem')}, () => { ` +
    `pm.expect(pm.response.headers.get('Content-Type')).to.include('application/problem+json'); ` +
    `const body = pm.response.json(); pm.expect(body).to.include.all.keys('type', 'title', 'status', 'message')${named}; });`;
}

/** Keeps a value of the reply for later requests. */
export function keeps(variable, expression) {
  return `if (pm.response.code < 300) { const body = pm.response.json(); pm.collectionVariables.set(${JSON.stringify(variable)}, ${expression}); }`;
}

/**
 * @param {string} name
 * @param {string} about
 * @param {Record<string, string>} variables
 * @param {[string, Description[]][]} folders
 */
export function collection(name, about, variables, folders) {
  return {
    info: { _postman_id: identity(name), name, description: about, schema: SCHEMA },
    variable: Object.entries(variables).map(([key, value]) => ({ key, value })),
    item: folders.map(([folder, requests]) => ({ name: folder, item: requests.map(item) })),
  };
}

/** The same file has the same id, however often it is made. */
function identity(name) {
  const hex = createHash('sha256').update(name).digest('hex');
  return [8, 4, 4, 4, 12].map((length, index, all) => hex.slice(sum(all, index), sum(all, index) + length)).join('-');
}

function sum(numbers, count) {
  return numbers.slice(0, count).reduce((one, other) => one + other, 0);
}

function item({ name, method, path, json, headers = {}, base = 'baseUrl', status, tests }) {
  const text = json === undefined || typeof json === 'string' ? json : JSON.stringify(json, null, 2);
  const sent = text === undefined ? headers : { 'Content-Type': 'application/json', ...headers };
  return {
    name,
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: [statusIs(status), ...tests] } }],
    request: {
      method,
      header: Object.entries(sent).map(([key, value]) => ({ key, value })),
      ...(text === undefined ? {} : { body: { mode: 'raw', raw: text } }),
      url: url(base, path),
    },
  };
}

function statusIs(status) {
  const codes = [status].flat();
  return `pm.test(${JSON.stringify(`status is ${codes.join(' or ')}`)}, () => { pm.expect(pm.response.code).to.be.oneOf(${JSON.stringify(codes)}); });`;
}

function url(base, path) {
  const [route, query] = path.split('?');
  const pairs = query ? query.split('&').map((pair) => pair.split('=')) : [];
  return {
    raw: `{{${base}}}${path}`,
    host: [`{{${base}}}`],
    path: route.split('/').slice(1),
    ...(query ? { query: pairs.map(([key, value = '']) => ({ key, value })) } : {}),
  };
}
