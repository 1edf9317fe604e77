#!/usr/bin/env node
// Writes the collections and environments beside this file; `build.mjs --check` only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { authors, books, operations, removal } from './books.mjs';
import { collection } from './collection.mjs';
import { errors, money, summaries } from './models.mjs';
import { performance } from './performance.mjs';

/** What requests keep for each other. The author and the ISBN are new in each run (test-smoke.sh). */
const VARIABLES = {
  author: 'Postman Author', isbn: '9791234567896', experiment: 'postman',
  bookId: '', bookTag: '', bulkOne: '', bulkTwo: '', authorId: '', bulkAuthor: '', summaryId: '', testId: '', quickId: '', executedId: '', executedRun: '', schedule: 'postman',
};

const SMOKE = ['Health', 'Sample data', 'Create a book', 'Create a book without a title', 'List books', 'Get a book', 'Get by a malformed id',
  'Search books', 'Change a price', 'List authors', 'Providers', 'Delete a book'];

const main = collection('BookStore', 'Every route of the BookStore API and of the performance service; what is started is stopped at once.', VARIABLES, [
  ['Operations', operations], ['Books', books], ['Authors', authors], ['Summaries', summaries], ['Money and experiments', money],
  ['Errors', errors], ['Performance service', performance], ['Removal', removal],
]);

const all = [...operations, ...books, ...authors, ...summaries, ...removal];
const smoke = collection('BookStore smoke', 'Twelve requests that show that the BookStore API works.', VARIABLES, [
  ['Smoke', SMOKE.map((name) => all.find((one) => one.name === name))],
]);

/** Addresses of the services in one place. */
function environment(name, baseUrl, performanceUrl) {
  const values = Object.entries({ baseUrl, performanceUrl }).map(([key, value]) => ({ key, value, enabled: true }));
  return { name, values, _postman_variable_scope: 'environment' };
}

const FILES = {
  'bookstore.postman_collection.json': main,
  'bookstore-smoke.postman_collection.json': smoke,
  'local.postman_environment.json': environment('local', 'http://127.0.0.1:7002', 'http://127.0.0.1:7004'),
  'compose.postman_environment.json': environment('compose', 'http://bookstore-api:7002', 'http://performance-service:7004'),
};

/** What a request takes that nothing gives it: by hand nobody sets what test-smoke.sh sets. */
function unset(text) {
  const taken = [...text.matchAll(/\{\{(\w+)\}\}|pm\.variables\.get\(\\"(\w+)\\"\)/g)].map(([, named, asked]) => named || asked);
  const wrong = [...text.matchAll(/pm\.environment\.get\(\\"(\w+)\\"\)/g)].map(([, name]) => `${name} of the environment`);
  const given = [...Object.keys(VARIABLES), 'baseUrl', 'performanceUrl'];
  return [...new Set([...taken.filter((name) => !given.includes(name)), ...wrong])];
}

for (const name of unset(JSON.stringify([main, smoke]))) {
  console.error(`a request takes the variable ${name}, which nothing sets: use pm.variables and VARIABLES`);
  process.exitCode = 1;
}

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(FILES)) {
  const path = new URL(name, import.meta.url);
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (!check) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is not what postman/build.mjs makes: run it`);
    process.exitCode = 1;
  }
}
