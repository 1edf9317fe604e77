#!/usr/bin/env node
// Names the routes of an OpenAPI document that no request of the collection asks for:
// coverage.mjs http://127.0.0.1:7002
import { readFileSync } from 'node:fs';

const [address] = process.argv.slice(2);
const document = await (await fetch(`${address}/swagger/v1/swagger.json`)).json();
const collection = JSON.parse(readFileSync(new URL('bookstore.postman_collection.json', import.meta.url), 'utf8'));

/** `GET /api/v1/books/…` of each request. */
const asked = collection.item.flatMap((folder) => folder.item).map(({ request }) => `${request.method} /${request.url.path.join('/')}`);

const missing = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`).filter((route) => !asked.some((one) => matches(route, one))),
);
for (const route of missing) console.error(`no request of the collection asks for ${route}`);
process.exitCode = missing.length > 0 ? 1 : 0;

function matches(route, request) {
  const [wanted, given] = [route, request].map((text) => text.split('/'));
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith('{') || part.toLowerCase() === given[index].toLowerCase());
}
