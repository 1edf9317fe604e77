/** A model's server behind a relay, as the performance service's relay answers for it. */
import http from 'node:http';

/** What the relay adds to each answer of a model that is well. */
const STAMPS = Object.freeze({
  'content-type': 'application/json',
  'server-timing': 'ttft;dur=10, inter_token;dur=5, total;dur=20',
  'x-relay-input-tokens': '12',
  'x-relay-output-tokens': '34',
  'x-relay-cost-pico-usd': '56000000',
});

/** @returns {Promise<{url: string, close: () => Promise<void>}>} */
export async function startRelayStub() {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, STAMPS).end('{}'));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve(undefined)));
    },
  };
}
