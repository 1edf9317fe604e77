// Requests of the catalogue: books, authors, what stands around them.
import { expects, has, header, keeps, members, problem } from './collection.mjs';

const BOOK = { title: 'The Lighthouse Ledger', author: '{{author}}', isbn: '{{isbn}}', price: 12.5, genre: 'Mystery', description: 'A keeper counts ships.', stockQuantity: 3 };
const BOOK_MEMBERS = ['id', 'title', 'author', 'isbn', 'price', 'genre', 'description', 'stockQuantity', 'createdAt', 'updatedAt', 'version'];
const PAGE = ['totalCount', 'page', 'pageSize', 'totalPages'];
const NOBODY = '000000000000000000000000';

export const operations = [
  { name: 'Health', method: 'GET', path: '/health', status: 200, tests: ['pm.test("says Healthy", () => { pm.expect(pm.response.text()).to.eql("Healthy"); });'] },
  { name: 'Alive', method: 'GET', path: '/health/live', status: 200, tests: [members('status')] },
  { name: 'Ready', method: 'GET', path: '/health/ready', status: 200, tests: [members('status', 'checks')] },
  { name: 'Started', method: 'GET', path: '/health/startup', status: 200, tests: [members('status')] },
  { name: 'Metrics', method: 'GET', path: '/metrics', status: 200, tests: ['pm.test("counts requests", () => { pm.expect(pm.response.text()).to.include("http_server_request_duration_seconds"); });'] },
  { name: 'Description of the API', method: 'GET', path: '/swagger/v1/swagger.json', status: 200, tests: [expects('describes the books', "pm.expect(body.paths).to.have.property('/api/v1/books')")] },
  { name: 'Sample data', method: 'POST', path: '/seed-data', status: 200, tests: [expects('says so', 'pm.expect(body.message).to.match(/seeded.*success/)')] },
  { name: 'Sample data again', method: 'POST', path: '/seed-data', status: 200, tests: [expects('adds nothing', 'pm.expect(body.message).to.include("0 of 6")')] },
];

export const books = [
  { name: 'Create a book', method: 'POST', path: '/api/v1/books', json: BOOK, status: 201, tests: [
    members(...BOOK_MEMBERS), has('price', 12.5), header('Location', '/\\/api\\/v1\\/books\\/[0-9a-f]{24}$/'),
    keeps('bookId', 'body.id'), 'pm.collectionVariables.set("bookTag", pm.response.headers.get("ETag"));'] },
  { name: 'Create a book with the same ISBN', method: 'POST', path: '/api/v1/books', json: BOOK, status: 409, tests: [problem()] },
  { name: 'Create a book without a title', method: 'POST', path: '/api/v1/books', json: { author: '{{author}}' }, status: 400, tests: [problem('title')] },
  { name: 'Create a book with a wrong price', method: 'POST', path: '/api/v1/books', json: { ...BOOK, isbn: '', price: -1 }, status: 400, tests: [problem('price')] },
  { name: 'Create a book from broken JSON', method: 'POST', path: '/api/v1/books', json: '{"title": ', status: 400, tests: [problem('body')] },
  { name: 'Create a book from plain text', method: 'POST', path: '/api/v1/books', json: 'a book', headers: { 'Content-Type': 'text/plain' }, status: 415, tests: [problem()] },
  { name: 'Create books in bulk', method: 'POST', path: '/api/v1/books/bulk', json: [{ title: 'Bulk one', author: '{{author}}' }, { title: 'Bulk two', author: '{{author}}', price: '23.45' }], status: 200, tests: [
    expects('made both', 'pm.expect(body.books).to.have.lengthOf(2); pm.expect(body.books[1].price).to.eql(23.45)'), keeps('bulkOne', 'body.books[0].id'), keeps('bulkTwo', 'body.books[1].id')] },
  { name: 'Create no books in bulk', method: 'POST', path: '/api/v1/books/bulk', json: '[]', status: 400, tests: [problem('body')] },
  { name: 'List books', method: 'GET', path: '/api/v1/books', status: 200, tests: [members('books', ...PAGE), has('pageSize', 10)] },
  { name: 'List the second page', method: 'GET', path: '/api/v1/books?page=2&pageSize=2', status: 200, tests: [has('page', 2), expects('has two', 'pm.expect(body.books).to.have.lengthOf(2)')] },
  { name: 'List a page that is too large', method: 'GET', path: '/api/v1/books?pageSize=2000', status: 200, tests: [has('pageSize', 100)] },
  { name: 'List page 0', method: 'GET', path: '/api/v1/books?page=0', status: 400, tests: [problem('page')] },
  { name: 'List the books of an author', method: 'GET', path: '/api/v1/books?author={{author}}&sort=price', status: 200, tests: [has('totalCount', 3), expects('cheapest first', 'const prices = body.books.map((book) => book.price); pm.expect(prices).to.eql([...prices].sort((a, b) => a - b))')] },
  { name: 'Get a book', method: 'GET', path: '/api/v1/books/{{bookId}}', status: 200, tests: [members(...BOOK_MEMBERS), expects('is the one', 'pm.expect(body.id).to.eql(pm.collectionVariables.get("bookId"))')] },
  { name: 'Get a book by another spelling', method: 'GET', path: '/api/v1/Books/{{bookId}}', status: 200, tests: [has('title', BOOK.title)] },
  { name: 'Get a book that is known', method: 'GET', path: '/api/v1/books/{{bookId}}', headers: { 'If-None-Match': '{{bookTag}}' }, status: 304, tests: [] },
  { name: 'Get no book', method: 'GET', path: `/api/v1/books/${NOBODY}`, status: 404, tests: [problem()] },
  { name: 'Get by a malformed id', method: 'GET', path: '/api/v1/books/invalid-id', status: 400, tests: [problem('id')] },
  { name: 'Search books', method: 'GET', path: '/api/v1/books/search?query=lighthouse%20LEDGER', status: 200, tests: [expects('finds it', 'pm.expect(body.map((book) => book.id)).to.include(pm.collectionVariables.get("bookId"))')] },
  { name: 'Search without a query', method: 'GET', path: '/api/v1/books/search', status: 400, tests: [problem('query')] },
  { name: 'Replace a book', method: 'PUT', path: '/api/v1/books/{{bookId}}', json: { ...BOOK, title: 'The Lighthouse Ledger, revised' }, headers: { 'If-Match': '{{bookTag}}' }, status: 200, tests: [has('title', 'The Lighthouse Ledger, revised'), has('version', 2)] },
  { name: 'Replace an old version', method: 'PUT', path: '/api/v1/books/{{bookId}}', json: BOOK, headers: { 'If-Match': '{{bookTag}}' }, status: 412, tests: [problem()] },
  { name: 'Change a price', method: 'PATCH', path: '/api/v1/books/{{bookId}}', json: { price: 9.99, stockQuantity: '0' }, status: 200, tests: [has('price', 9.99), has('stockQuantity', 0)] },
  { name: 'Change what cannot be changed', method: 'PATCH', path: '/api/v1/books/{{bookId}}', json: { createdAt: '2020-01-01' }, status: 400, tests: [problem('createdAt')] },
];

export const authors = [
  { name: 'Create an author', method: 'POST', path: '/api/v1/authors', json: { name: '{{author}}', biography: 'Writes.', birthDate: '1970-02-03' }, status: 201, tests: [has('bio', 'Writes.'), has('birthDate', '1970-02-03T00:00:00Z'), keeps('authorId', 'body.id')] },
  { name: 'Create an author without a name', method: 'POST', path: '/api/v1/authors', json: {}, status: 400, tests: [problem('name')] },
  { name: 'Create authors in bulk', method: 'POST', path: '/api/v1/authors/bulk', json: [{ name: '{{author}} two' }], status: 200, tests: [expects('made one', 'pm.expect(body.authors).to.have.lengthOf(1)'), keeps('bulkAuthor', 'body.authors[0].id')] },
  { name: 'List authors', method: 'GET', path: '/api/v1/authors?page=1&pageSize=5', status: 200, tests: [members('authors', ...PAGE), has('pageSize', 5)] },
  { name: 'Get an author', method: 'GET', path: '/api/v1/authors/{{authorId}}', status: 200, tests: [members('id', 'name', 'bio', 'nationality', 'website', 'createdAt', 'updatedAt')] },
  { name: 'Get no author', method: 'GET', path: `/api/v1/authors/${NOBODY}`, status: 404, tests: [problem()] },
  { name: 'Replace an author', method: 'PUT', path: '/api/v1/authors/{{authorId}}', json: { name: '{{author}}', nationality: 'Irish' }, status: 200, tests: [has('nationality', 'Irish'), has('bio', '')] },
  { name: 'Change an author', method: 'PATCH', path: '/api/v1/authors/{{authorId}}', json: { website: 'https://author.example' }, status: 200, tests: [has('website', 'https://author.example'), has('nationality', 'Irish')] },
  { name: 'Delete an author', method: 'DELETE', path: '/api/v1/authors/{{authorId}}', status: 204, tests: [] },
  { name: 'Delete the other author', method: 'DELETE', path: '/api/v1/authors/{{bulkAuthor}}', status: 204, tests: [] },
  { name: 'Delete an author twice', method: 'DELETE', path: '/api/v1/authors/{{authorId}}', status: 404, tests: [problem()] },
];

/** Last: the models need the book. */
export const removal = [
  { name: 'Delete a book', method: 'DELETE', path: '/api/v1/books/{{bookId}}', status: 204, tests: ['pm.test("has no body", () => { pm.expect(pm.response.text()).to.eql(""); });'] },
  { name: 'Delete a book twice', method: 'DELETE', path: '/api/v1/books/{{bookId}}', status: 404, tests: [problem()] },
  { name: 'Delete the first of the bulk', method: 'DELETE', path: '/api/v1/books/{{bulkOne}}', status: 204, tests: [] },
  { name: 'Delete the second of the bulk', method: 'DELETE', path: '/api/v1/books/{{bulkTwo}}', status: 204, tests: [] },
];
