/** Stands between k6 and a real API, and spoils the answers of some routes. */
import http from 'node:http';

/**
 * @typedef {object} Fault
 * @property {RegExp} route of `METHOD /path?query`; other requests pass, or meet the next fault
 * @property {string} [rename] a member of the reply gets another name
 * @property {ReadonlyArray<readonly [RegExp, string]>} [replace] in the text of the reply
 * @property {number} [status] every answer has this status, and an empty object as its body
 * @property {object} [body] in the place of the empty object
 * @property {number} [delayMs] every answer comes that much later
 * @property {string} [dropHeader]
 * @property {Record<string, string>} [headers] every answer has these
 * @property {number} [skip] as many requests pass first
 */

/**
 * @param {string} upstream address of the real API
 * @param {readonly Fault[]} faults
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startFaultyApi(upstream, faults) {
  const agent = new http.Agent({ keepAlive: true });
  const planted = faults.map((fault) => ({ ...fault, met: 0 }));
  const server = http.createServer((request, response) => {
    const fault = planted.find(({ route }) => route.test(`${request.method} ${request.url}`));
    const spoils = fault !== undefined && (fault.skip || 0) <= fault.met++;
    if (spoils && fault.status) {
      request.resume().on('end', () => refuse(fault, response));
      return;
    }
    const onward = http.request(upstream + request.url, { method: request.method, headers: request.headers, agent }, (reply) => {
      collect(reply, (body) => (spoils ? spoil(fault, response, reply, body) : answer(response, reply.statusCode, reply.headers, body)));
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, close: () => close(server, agent) };
}

/**
 * Answers in the place of the API.
 * @param {Fault} fault
 * @param {import('node:http').ServerResponse} response
 */
function refuse({ status, body = {}, headers, delayMs = 0 }, response) {
  setTimeout(() => answer(response, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(body)), delayMs);
}

/**
 * @param {Fault} fault
 * @param {import('node:http').ServerResponse} response
 * @param {import('node:http').IncomingMessage} reply
 * @param {Buffer} body
 */
function spoil({ rename, replace = [], delayMs = 0, dropHeader, headers: more }, response, reply, body) {
  const headers = { ...reply.headers, ...more };
  if (dropHeader) delete headers[dropHeader];
  const changes = rename ? [/** @type {const} */ ([new RegExp(`"${rename}":`, 'g'), `"${rename}_":`]), ...replace] : replace;
  const text = changes.length > 0 ? Buffer.from(changes.reduce((told, [from, to]) => told.replace(from, to), body.toString())) : body;
  setTimeout(() => answer(response, reply.statusCode, headers, text), delayMs);
}

function answer(response, status, headers, body) {
  const { 'transfer-encoding': _, ...kept } = headers;
  response.writeHead(status, { ...kept, ...(status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }) });
  response.end(body);
}

function collect(stream, done) {
  const parts = [];
  stream.on('data', (part) => parts.push(part)).on('end', () => done(Buffer.concat(parts)));
}

function close(server, agent) {
  agent.destroy();
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve(undefined)));
}
