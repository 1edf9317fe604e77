/**
 * Values at and beyond the bounds of fields and parameters: what is sent, and whether it is taken.
 * Of a value that is taken `kept` is what comes back, the value itself without it.
 */

/**
 * @typedef {object} Value
 * @property {any} value as it stands in JSON
 * @property {boolean} taken
 * @property {any} [kept]
 */

/** @type {readonly Value[]} */
export const PRICES = [
  ...taken(0, 0.01, 0.0001, 9.99, 99999999.9999, 100000000),
  { value: '23.45', taken: true, kept: 23.45 },
  { value: ' 23.45 ', taken: true, kept: 23.45 },
  { value: '12.50', taken: true, kept: 12.5 },
  { value: null, taken: true, kept: 0 },
  ...refused(-0.01, -1, 0.00001, 100000000.01, 1e300, 'invalid', '', '12,50', '0x10', true, [1], {}),
];

/** @type {readonly Value[]} */
export const STOCKS = [
  ...taken(0, 1, 2147483647),
  { value: '7', taken: true, kept: 7 },
  { value: '12.0', taken: true, kept: 12 },
  { value: null, taken: true, kept: 0 },
  ...refused(-1, 2147483648, 1.5, 1e20, 'many', '', '7 books', false, [], {}),
];

/** `UNIQUE` becomes a valid ISBN-13 that no other book has. @type {readonly Value[]} */
export const ISBNS = [
  ...taken('', 'UNIQUE', '1234567', '978-0-00-000000-0', 'ISBN-123', 'abcDEF', '9'.repeat(32), '-'),
  { value: null, taken: true, kept: '' },
  ...refused('9'.repeat(33), '978 0743273565', '978.0743273565', '978074327356\u0665', 'x\u0000', "1'2", 9780743273565, true, ['1']),
];

/** Instants come back in UTC with milliseconds at most. @type {readonly Value[]} */
export const DATES = [
  instant('1925-04-10T00:00:00Z', '1925-04-10T00:00:00Z'),
  instant('1925-04-10', '1925-04-10T00:00:00Z'),
  instant('2024-02-29', '2024-02-29T00:00:00Z'),
  instant('2024-01-02T03:04:05', '2024-01-02T03:04:05Z'),
  instant('2024-01-02T03:04:05+02:00', '2024-01-02T01:04:05Z'),
  instant('2024-01-02T03:04:05.123456789Z', '2024-01-02T03:04:05.123Z'),
  instant('0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'),
  ...refused('2023-02-29', '2024-13-01', '2024-00-10', '10/04/1925', 'yesterday', '2024', '24:00', '1e9', 20240101, true, []),
];

/** Values of another type than the field's, which the contract does not read as one. */
export const WRONG_TYPES = Object.freeze([0, 1.5, true, false, ['a'], { a: 1 }]);

/** Longest values of texts, in characters. */
export const TEXT_LIMITS = Object.freeze({
  books: { title: [1, 500], author: [1, 300], genre: [0, 100], description: [0, 10000] },
  authors: { name: [1, 300], bio: [0, 10000], nationality: [0, 100], website: [0, 500] },
});

/** `page` and whether it is a page. @type {ReadonlyArray<readonly [string, boolean]>} */
export const PAGES = Object.freeze([['1', true], ['2', true], ['1000000', true], ['0', false], ['-1', false], ['1000001', false], ['1.5', false], ['one', false], ['', false], ['99999999999999999999', false], [' 1', false]]);

/** `pageSize`, and the size that is served; 0 when it is refused. @type {ReadonlyArray<readonly [string, number]>} */
export const PAGE_SIZES = Object.freeze([['1', 1], ['10', 10], ['100', 100], ['101', 100], ['2000', 100], ['0', 0], ['-5', 0], ['1e2', 0], ['all', 0], ['', 0]]);

/** Ids that are none. */
export const MALFORMED_IDS = Object.freeze(['1', 'no-id', '0'.repeat(23), '0'.repeat(25), 'g'.repeat(24), '0'.repeat(23) + 'g', '%20', '%00', '..%2f..%2fhealth', '%F0%9F%92%A9']);

/** Well formed, of nobody: ids begin with the time of their making. */
export const UNKNOWN_IDS = Object.freeze(['0'.repeat(24), 'f'.repeat(24), 'F'.repeat(24)]);

/** Bodies that are no JSON object. */
export const BROKEN_BODIES = Object.freeze(['', '{', '{"title": }', '{"title": "a" "author": "b"}', "{'title': 'a'}", 'null', '[]', '"text"', '7', '{"title": "\\ud800"}', '\u0000']);

/** Content types of a body that is right in itself, and whether it is read. @type {ReadonlyArray<readonly [string, boolean]>} */
export const CONTENT_TYPES = Object.freeze([
  ['application/json', true], ['application/json; charset=utf-8', true], ['APPLICATION/JSON', true], ['application/merge-patch+json', true],
  ['text/plain', false], ['text/json', false], ['application/xml', false], ['application/x-www-form-urlencoded', false], ['multipart/form-data; boundary=x', false],
]);

function taken(...values) {
  return values.map((value) => ({ value, taken: true }));
}

function refused(...values) {
  return values.map((value) => ({ value, taken: false }));
}

function instant(value, kept) {
  return { value, taken: true, kept };
}
