// The simulator that the tests talk to, and its controls.
const { SIMULATOR_URL, SDK_TEST_KEY, SDK_TEST_ACCESS_KEY, SDK_TEST_SECRET } = process.env;

export const url = SIMULATOR_URL;
// The keys that the simulator was told of.
export const key = SDK_TEST_KEY;
export const accessKey = SDK_TEST_ACCESS_KEY;
export const secret = SDK_TEST_SECRET;
export const prompt = "Hello, world!";

async function send(method, path, document) {
  const reply = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json" },
    body: document && JSON.stringify(document),
    signal: AbortSignal.timeout(10_000),
  });
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
  return reply;
}

export const reset = () => send("POST", "/control/reset");

// Every call from now on gets this status.
export const failWith = (code) =>
  send("PUT", "/control/faults", { rules: [{ fault: { status: { code } } }] });

// The last call, as the simulator saw it.
export async function lastCall() {
  const reply = await send("GET", "/control/calls?limit=1");
  return (await reply.json()).calls[0];
}
