/** Stands between k6 and a real API, and spoils the answers of some routes. */
import http from 'node:http';

/**
 * @typedef {object} Fault
 * @property {RegExp} route of `METHOD /path?query`; other requests pass
 * @property {string} [rename] a member of the reply gets another name
 * @property {number} [status] every answer has this status, and an empty object as its body
 * @property {number} [delayMs] every answer comes that much later
 * @property {string} [dropHeader]
 */

/**
 * @param {string} upstream address of the real API
 * @param {Fault} fault
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startFaultyApi(upstream, fault) {
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const spoils = fault.route.test(`${request.method} ${request.url}`);
    if (spoils && fault.status) {
      request.resume().on('end', () => answer(response, fault.status, { 'content-type': 'application/json' }, '{}'));
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
 * @param {Fault} fault
 * @param {import('node:http').ServerResponse} response
 * @param {import('node:http').IncomingMessage} reply
 * @param {Buffer} body
 */
function spoil({ rename, delayMs = 0, dropHeader }, response, reply, body) {
  const headers = { ...reply.headers };
  if (dropHeader) delete headers[dropHeader];
  const text = rename ? Buffer.from(body.toString().replaceAll(`"${rename}":`, `"${rename}_":`)) : body;
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
