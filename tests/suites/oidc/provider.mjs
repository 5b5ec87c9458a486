// provider.mjs [PORT]: two OpenID providers with the same new keys on loopback, until standard input closes.
// Prints one line: READY, the address of the honest one, the address of one that says it is somebody else, and the private keys
// (PEM by algorithm, base64 of JSON) of its clients `agent-RS256`, `agent-PS256` and `agent-ES256`, which have no secret.
// Both sign access tokens (RFC 9068) for their client; `resource=urn:longhorn:ES256` names audience and algorithm.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The package lies where the tests were set up, not beside this file.
const { resolve } = createRequire(`${process.cwd()}/`);
const { default: Provider, errors } = await import(pathToFileURL(resolve('oidc-provider')));

// Its advice to operators is not for whoever watches a test.
console.warn = () => {};

const CLIENT = '7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11';
const STRANGER = '00000000-0000-4000-8000-000000000000';
const SOMEBODY_ELSE = 'https://dbc-2222.cloud.databricks.com/oidc';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const made = {
  RS256: rsa(),
  PS256: rsa(),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
// Keys of clients (RFC 7523), each registered under `agent-1`.
const SIGNING = ['RS256', 'PS256', 'ES256'];
const own = Object.fromEntries(
  SIGNING.map((alg) => [alg, alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : rsa()]),
);
// Without `kid`: the provider names each key by its thumbprint (RFC 7638), so other keys have other names.
const keys = Object.entries(made).map(([alg, pair]) => ({ ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg }));

function provider(issuer) {
  const client = (client_id) => ({
    client_id,
    client_secret: 'client-secret',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  });
  const keyed = (alg) => {
    const { client_secret, ...rest } = client(`agent-${alg}`);
    const key = { ...own[alg].publicKey.export({ format: 'jwk' }), use: 'sig', alg, kid: 'agent-1' };
    return {
      ...rest,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [key] },
    };
  };
  return new Provider(issuer, {
    // The agent authenticates as RFC 6749 §2.3.1 has every server accept it.
    clients: [
      client(CLIENT),
      client(STRANGER),
      { ...client('the agent:1'), token_endpoint_auth_method: 'client_secret_basic' },
      ...SIGNING.map(keyed),
    ],
    jwks: { keys },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_context, resource) {
          const [, audience, alg] = /^urn:([a-z]+):([A-Za-z0-9]+)$/.exec(resource) ?? [];
          if (!(alg in made)) throw new errors.InvalidTarget();
          return { audience, scope: '', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg } } };
        },
      },
    },
    extraTokenClaims: () => ({ groups: ['ml-engineers'] }),
  });
}

async function listen(port) {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

const honest = await listen(Number(process.argv[2] ?? 0));
honest.server.on('request', provider(honest.url).callback());
const other = await listen(0);
other.server.on('request', provider(SOMEBODY_ELSE).callback());
process.stdin.on('end', () => process.exit(0)).resume();
const pem = (pair) => pair.privateKey.export({ format: 'pem', type: 'pkcs8' });
const privates = JSON.stringify(Object.fromEntries(SIGNING.map((alg) => [alg, pem(own[alg])])));
console.log(`READY ${honest.url} ${other.url} ${Buffer.from(privates).toString('base64')}`);
