#!/usr/bin/env node
// Names the routes of services' OpenAPI documents that no request of the collection asks for:
// coverage.mjs http://127.0.0.1:7002 http://127.0.0.1:7004
import { readFileSync } from 'node:fs';

const collection = JSON.parse(readFileSync(new URL('bookstore.postman_collection.json', import.meta.url), 'utf8'));

/** `GET /api/v1/books/…` of each request. */
const asked = collection.item.flatMap((folder) => folder.item).map(({ request }) => `${request.method} /${request.url.path.join('/')}`);

for (const address of process.argv.slice(2)) {
  const document = await (await fetch(`${address}/swagger/v1/swagger.json`)).json();
  for (const route of routes(document).filter((one) => !asked.some((request) => matches(one, request)))) {
    console.error(`no request of the collection asks ${address} for ${route}`);
    process.exitCode = 1;
  }
}

/** `GET /api/v1/books/{id}` and so on. */
function routes(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
}

function matches(route, request) {
  const [wanted, given] = [route, request].map((text) => text.split('/'));
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith('{') || part.toLowerCase() === given[index].toLowerCase());
}
