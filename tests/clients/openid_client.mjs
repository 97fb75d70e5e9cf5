// npm openid-client runs every grant against a running system, as its documentation shows them. The only thing beside
// the library is a browser: fetch with cookies, which fills in the pages that a person would.
//
//   node openid_client.mjs READY_FILE

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as client from 'openid-client'

const ready = JSON.parse(readFileSync(process.argv[2]))
const issuer = new URL(ready.url)
const redirectUri = 'http://127.0.0.1:4711/callback'
const loggedOutUri = 'http://127.0.0.1:4711/bye'
const password = 'correct horse battery staple'
const unique = `${Date.now()}-${Math.random().toString(36).slice(2)}`
const email = `openid-client-${unique}@example.org`

async function post(path, body, token) {
  const headers = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const answer = await fetch(new URL(path, issuer), { method: 'POST', headers, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`)
  return answer.json()
}

const admin = ready.users.find((user) => user.role === 'admin')
const adminToken = (await post('/auth/login', { email: admin.email, password: admin.password })).token
const customer = (await post('/auth/register', { email, password, name: 'Ada Lovelace' })).userId

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'one', use: 'sig', alg: 'ES256' }

const spec = {
  scopes: ['orders:read', 'openid', 'email', 'profile', 'offline_access'],
  redirectUris: [redirectUri],
  postLogoutRedirectUris: [loggedOutUri],
}
const confidential = ['client_credentials', 'authorization_code', 'refresh_token']
const register = (name, more) => post('/api/clients', { ...spec, ...more, name: `${name} ${unique}` }, adminToken)
const secret = await register('with a secret', { grants: confidential })
const keyed = await register('with a key', { grants: confidential, jwks: { keys: [jwk] } })
const open = await register('public', { grants: confidential.slice(1), public: true })

// The system under test is on loopback without TLS; everything else is the library's own default and more.
const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
const discover = (id, authentication) => client.discovery(issuer, id, undefined, authentication, { execute })
const configurations = {
  client_secret_basic: await discover(secret.clientId, client.ClientSecretBasic(secret.clientSecret)),
  client_secret_post: await discover(secret.clientId, client.ClientSecretPost(secret.clientSecret)),
  private_key_jwt: await discover(keyed.clientId, client.PrivateKeyJwt({ key: keys.privateKey, kid: 'one' })),
  none: await discover(open.clientId, client.None()),
}

const refused = (call, error) => assert.rejects(call, (thrown) => thrown.error === error || assert.fail(thrown))
const orders = (config, token) => client.fetchProtectedResource(config, token, new URL('/api/orders', issuer), 'GET')

class Browser {
  cookies = new Map()

  async request(url, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { ...options, headers: { ...options.headers, cookie }, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/)
      this.cookies.set(name, value)
    }
    return answer
  }

  // Follows redirects and fills in forms until it is sent to somebody else.
  async visit(url) {
    let [target, answer] = [new URL(url), await this.request(url)]
    for (let steps = 0; steps < 10; steps += 1) {
      const location = answer.headers.get('location')
      if (location) {
        target = new URL(location, target)
        if (target.origin !== issuer.origin) return target
        answer = await this.request(target)
        continue
      }
      const page = await answer.text()
      assert.equal(answer.status, 200, page)
      const action = page.match(/<form[^>]*action="([^"]*)"/)[1].replaceAll('&#38;', '&').replaceAll('&amp;', '&')
      const form = new URLSearchParams()
      for (const [, name, value] of page.matchAll(/name="([^"]*)" value="([^"]*)"/g)) {
        if (!form.has(name)) form.set(name, value.replaceAll('&#38;', '&').replaceAll('&amp;', '&'))
      }
      if (page.includes('type="password"')) {
        form.set('email', email)
        form.set('password', password)
      }
      target = new URL(action, target)
      answer = await this.request(target, { method: 'POST', body: form })
    }
    assert.fail('the pages lead nowhere')
  }
}

for (const [method, config] of Object.entries(configurations)) {
  if (method !== 'none') {
    const tokens = await client.clientCredentialsGrant(config, { scope: 'orders:read' })
    assert.equal(tokens.scope, 'orders:read')
    assert.equal((await orders(config, tokens.access_token)).status, 200)
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true)
    await client.tokenRevocation(config, tokens.access_token)
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false)
    await refused(client.clientCredentialsGrant(config, { scope: 'catalog:write' }), 'invalid_scope')
  }

  const browser = new Browser()
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
  const question = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile orders:read offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    max_age: '3600',
  })
  const back = await browser.visit(question)
  assert.ok(back.href.startsWith(redirectUri), back.href)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 3600, idTokenExpected: true }
  const first = await client.authorizationCodeGrant(config, back, checks)
  assert.equal(first.claims().sub, customer)
  const user = await client.fetchUserInfo(config, first.access_token, first.claims().sub)
  assert.deepEqual([user.email, user.name], [email, 'Ada Lovelace'])
  assert.equal((await orders(config, first.access_token)).status, 200)

  const second = await client.refreshTokenGrant(config, first.refresh_token)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.equal(second.claims().sub, customer)
  const third = await client.refreshTokenGrant(config, second.refresh_token, { scope: 'openid orders:read' })
  assert.equal(third.scope, 'orders:read openid')
  await refused(client.refreshTokenGrant(config, first.refresh_token), 'invalid_grant')
  await refused(client.refreshTokenGrant(config, third.refresh_token), 'invalid_grant')
  await assert.rejects(orders(config, third.access_token), 'the leaked token has ended the session')

  const denied = await browser.visit(client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid surprise',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  }))
  await refused(client.authorizationCodeGrant(config, denied, { pkceCodeVerifier, expectedState }), 'invalid_scope')

  const bye = await browser.visit(client.buildEndSessionUrl(config, {
    id_token_hint: first.id_token,
    post_logout_redirect_uri: loggedOutUri,
    state: 'bye',
  }))
  assert.equal(bye.href, `${loggedOutUri}?state=bye`)
  console.log(`openid-client: every grant with ${method}`)
}

const config = configurations.client_secret_basic
await refused(client.genericGrantRequest(config, 'password', { username: email, password }), 'unsupported_grant_type')
const wrong = await discover(secret.clientId, client.ClientSecretBasic('wrong'))
await assert.rejects(client.clientCredentialsGrant(wrong), (thrown) => thrown.cause[0].scheme === 'basic')
console.log('openid-client: done')
