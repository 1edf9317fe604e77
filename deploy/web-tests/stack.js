// The services that the pages are tested with: the simulator, the API, the performance service, each on a free port
// with a state of its own; and a way through that can be cut.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

const CHECKOUT = process.env.CHECKOUT;
const BINARIES = process.env.BINARIES;
const TOOLS = process.env.BOOKSTORE_TOOLS_DIR;
const START_MS = 30000;
const STOP_MS = 30000;

/** Tokens of the guarded service, by role. */
export const TOKENS = { viewer: 'viewer-token-of-the-web-tests', engineer: 'engineer-token-of-the-web-tests' };

/** @returns {Promise<number>} a port that nobody listens on */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** A process of ours that answers on an address. */
class Service {
  constructor(name, environment, directory) {
    Object.assign(this, { name, environment, log: path.join(directory, `${name}.log`) });
  }

  async start() {
    const log = openSync(this.log, 'a');
    const environment = { PATH: process.env.PATH, HOME: process.env.HOME, ...this.environment };
    this.child = spawn(path.join(BINARIES, this.name), [], { env: environment, stdio: ['ignore', log, log] });
    this.ended = new Promise((resolve) => { this.child.on('exit', resolve); });
    await until(`${this.name} is ready`, START_MS, async () => {
      if (this.child.exitCode !== null) throw Object.assign(new Error(readFileSync(this.log, 'utf8')), { final: true });
      const reply = await fetch(`${this.url}/health/ready`);
      if (!reply.ok) throw new Error(`${reply.status}`);
    });
  }

  async end(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

/** What a proxy says while the service behind it is gone. */
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** A TCP proxy to a port. `cut` ends the connections that are open; `refuse` answers 503 from then on. */
export class Way {
  static async to(port) {
    const way = new Way();
    way.sockets = new Set();
    way.refuses = false;
    way.server = net.createServer((inside) => {
      if (way.refuses) {
        inside.on('error', () => {});
        inside.once('data', () => inside.end(UNAVAILABLE));
        return;
      }
      const outside = net.connect(port, '127.0.0.1');
      for (const [socket, other] of [[inside, outside], [outside, inside]]) {
        way.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => { way.sockets.delete(socket); other.destroy(); });
        socket.pipe(other);
      }
    });
    way.port = await freePort();
    await new Promise((resolve) => { way.server.listen(way.port, '127.0.0.1', resolve); });
    way.url = `http://127.0.0.1:${way.port}`;
    return way;
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  refuse(refuses) {
    this.refuses = refuses;
    this.cut();
  }

  async end() {
    this.cut();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

/** Everything that the tests look at. */
export class Stack {
  /** @param {Record<string, string>} simulated settings of the simulator */
  static async start(simulated = { SIMULATOR_PROFILE: 'instant' }) {
    const stack = new Stack();
    stack.directory = mkdtempSync(path.join(tmpdir(), 'web-tests-'));
    const scripts = path.join(stack.directory, 'k6');
    cpSync(path.join(CHECKOUT, 'k6'), scripts, { recursive: true });
    cpSync(path.join(CHECKOUT, 'deploy/web-tests/k6'), path.join(scripts, 'tests'), { recursive: true });
    const service = (name, address, port, settings) => {
      const environment = { [address]: `127.0.0.1:${port}`, RUST_LOG: 'warn', ...settings };
      return Object.assign(new Service(name, environment, stack.directory), { url: `http://127.0.0.1:${port}`, port });
    };
    const [simulatorPort, apiPort, port, guardedPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    stack.simulator = service('llm-simulator', 'SIMULATOR_HTTP_ADDR', simulatorPort, simulated);
    stack.api = service('bookstore-api', 'BOOKSTORE_HTTP_ADDR', apiPort, {
      BOOKSTORE_STATE_DIR: path.join(stack.directory, 'api'),
      LLM_PROVIDER: 'claude',
      ANTHROPIC_API_KEY: 'simulated',
      ANTHROPIC_BASE_URL: stack.simulator.url,
      BOOKSTORE_SIMULATED_PROVIDERS: 'claude',
    });
    const common = {
      PERFORMANCE_TARGETS: `local=${stack.api.url}`,
      PERFORMANCE_K6: path.join(TOOLS, 'bin/k6'),
      PERFORMANCE_K6_V1: path.join(TOOLS, 'bin/k6-v1'),
      PERFORMANCE_SCRIPTS_DIR: scripts,
      PERFORMANCE_WEBHOOK_TARGETS: 'nobody=http://127.0.0.1:9/',
      PERFORMANCE_WEBHOOK_SECRET: 'no-secret-but-as-long-as-one-has-to-be',
      PERFORMANCE_TRACE_SEARCH: 'http://127.0.0.1:16686/search',
      PERFORMANCE_METRIC_GRAPH: 'http://127.0.0.1:9090/graph',
    };
    stack.performance = service('performance-service', 'PERFORMANCE_HTTP_ADDR', port, {
      ...common, PERFORMANCE_STATE_DIR: path.join(stack.directory, 'performance'),
    });
    const tokens = path.join(stack.directory, 'tokens.toml');
    const entries = Object.entries(TOKENS).map(([role, token]) => {
      const hash = createHash('sha256').update(token).digest('hex');
      return `[[token]]\nsha256 = "${hash}"\ntenant = "default"\nuser = "${role}"\nrole = "${role}"\n`;
    });
    writeFileSync(tokens, entries.join('\n'), { mode: 0o600 });
    stack.guarded = service('performance-service', 'PERFORMANCE_HTTP_ADDR', guardedPort, {
      ...common,
      PERFORMANCE_STATE_DIR: path.join(stack.directory, 'guarded'),
      PERFORMANCE_AUTH_MODE: 'tokens',
      PERFORMANCE_TOKENS_FILE: tokens,
    });
    await stack.simulator.start();
    await stack.api.start();
    await Promise.all([stack.performance.start(), stack.guarded.start()]);
    stack.way = await Way.to(port);
    return stack;
  }

  /** The JSON at a path of the performance service. */
  async get(address) {
    const reply = await fetch(`${this.performance.url}${address}`);
    if (!reply.ok) throw new Error(`${address}: ${reply.status} ${await reply.text()}`);
    return reply.json();
  }

  run(id) {
    return this.get(`/api/v1/performancetest/${id}`);
  }

  /** Makes something at a path of the performance service. */
  async post(address, body) {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${this.performance.url}${address}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const made = await reply.json();
    if (reply.status !== 201) throw new Error(JSON.stringify(made));
    return made;
  }

  /** Starts a run without a browser. */
  async begin(body) {
    return (await this.post('/api/v1/performancetest/start', body)).testId;
  }

  /** Runs that nobody made, as rows beside those of a finished one: see made_runs.py. */
  async makeRuns(...what) {
    const database = path.join(this.directory, 'performance/data/performance.sqlite');
    const made = await promisify(execFile)('python3', [path.join(CHECKOUT, 'deploy/web-tests/made_runs.py'), database, ...what]);
    return JSON.parse(made.stdout);
  }

  /** Waits until a run is over. */
  over(id, patience = 60000) {
    return until(`run ${id} is over`, patience, async () => {
      const run = await this.run(id);
      if (!run.completedAt) throw new Error(run.status);
      return run;
    });
  }

  async end() {
    await this.way?.end();
    await Promise.all([this.performance, this.guarded].map((service) => service?.end()));
    await Promise.all([this.api, this.simulator].map((service) => service?.end()));
    if (!process.env.WEB_TESTS_KEEP) rmSync(this.directory, { recursive: true, force: true });
  }
}
