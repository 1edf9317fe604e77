#!/usr/bin/env node
// Makes tokens for a target that asks who calls: tokens.mjs SERVER.toml CALLERS.json
//
// SERVER.toml has the hashes, for BOOKSTORE_TOKENS_FILE, and SERVER.toml.before those and the one of
// `revoked`, so that it can be let in once before it is taken away. CALLERS.json has the tokens, for
// tests/auth.js, which reads k6/private/tokens.json. Each run makes new ones.
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const TENANTS = ['acme', 'globex'];
const ROLES = ['viewer', 'engineer', 'admin'];

const newToken = () => randomBytes(32).toString('base64url');

/** @param {string[]} words */
function main([server, callers]) {
  if (!server || !callers) throw new Error('usage: tokens.mjs SERVER.toml CALLERS.json');
  const known = TENANTS.flatMap((tenant) => ROLES.map((role) => ({ tenant, role, token: newToken() })));
  const ofTenant = (tenant) => known.filter((one) => one.tenant === tenant).map(({ role, token }) => [role, token]);
  const tenants = Object.fromEntries(TENANTS.map((tenant) => [tenant, Object.fromEntries(ofTenant(tenant))]));
  // Only their owner may read them.
  const secret = { mode: 0o600 };
  const revoked = newToken();
  const former = { tenant: TENANTS[0], role: 'admin', token: revoked };
  writeFileSync(callers, `${JSON.stringify({ tenants, revoked }, null, 2)}\n`, secret);
  writeFileSync(`${server}.before`, [...known, former].map(entry).join('\n'), secret);
  writeFileSync(server, known.map(entry).join('\n'), secret);
}

function entry({ tenant, role, token }) {
  const hash = createHash('sha256').update(token).digest('hex');
  return `[[token]]\nsha256 = "${hash}"\ntenant = "${tenant}"\nuser = "${tenant}-${role}"\nrole = "${role}"\n`;
}

main(process.argv.slice(2));
