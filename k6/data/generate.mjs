#!/usr/bin/env node
// Makes books and authors, always the same ones for a seed:
//
//   generate.mjs [VARIANT] [DIRECTORY]
//
// VARIANT is smoke (50 books, 25 authors; the usual one), load (100, 50), stress (150, 75),
// chaos (100, 50) or errors (50, 25). DIRECTORY, test-data without a word, gets books.ndjson and
// authors.ndjson, one a line, and books.json and authors.json, arrays for the bulk routes. In the
// environment: COUNT (books; half as many authors), SEED, COMPACT=1 (arrays on one line).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newAuthor, newBook } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { generator } from '../lib/random.js';

const VARIANTS = { smoke: 50, load: 100, stress: 150, chaos: 100, errors: 50 };

/** Tells the generators of one seed apart; the suites' own books come from its first one. */
const BOOKS = 1;
const AUTHORS = 2;

/** @param {string[]} words */
function main([variant = 'smoke', directory = 'test-data']) {
  if (!(variant in VARIANTS)) throw new Error(`${variant} is no variant: ${Object.keys(VARIANTS).join(', ')}`);
  const { COUNT = String(VARIANTS[variant]), SEED, COMPACT } = process.env;
  const { count, seed } = readConfig({ scenario: variant, traceSample: 1 }, { COUNT, SEED });
  mkdirSync(directory, { recursive: true });
  write(directory, 'books', booksOf(seed, count), COMPACT);
  write(directory, 'authors', authorsOf(seed, Math.ceil(count / 2)), COMPACT);
}

/**
 * Books with their share of all readers: the first is asked for most, by Zipf's law. The API
 * ignores what it does not know, so that a record can be sent as it is.
 */
function booksOf(seed, count) {
  const random = generator(seed, BOOKS);
  const sum = Array.from({ length: count }, (_, index) => 1 / (index + 1)).reduce((one, other) => one + other, 0);
  return unique(count, () => newBook(random), 'isbn').map((book, index) => ({
    ...book,
    popularity: Number((1 / (index + 1) / sum).toFixed(6)),
  }));
}

function authorsOf(seed, count) {
  const random = generator(seed, AUTHORS);
  return unique(count, () => newAuthor(random), 'name');
}

function unique(count, make, key) {
  const made = new Map();
  while (made.size < count) {
    const one = make();
    made.set(one[key], one);
  }
  return [...made.values()];
}

function write(directory, name, records, compact) {
  writeFileSync(join(directory, `${name}.ndjson`), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(records, null, compact ? 0 : 2)}\n`);
  console.error(`${records.length} ${name} in ${directory}`);
}

main(process.argv.slice(2));
