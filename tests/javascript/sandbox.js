// A world of a sandbox, and a client as people write them around oauth4webapi.

import assert from 'node:assert/strict'

import * as oauth from 'oauth4webapi'

// Any loopback address is a redirect URI of a sandbox's applications; nothing listens there.
export const CALLBACK = 'http://127.0.0.1:8765/callback'
// A sandbox speaks plain http.
const PLAIN = { [oauth.allowInsecureRequests]: true }

/** A world made for one test in the sandbox that SANDBOX_ISSUER names, steered through its control plane. */
export class World {
  static async make(test) {
    const made = await fetch(`${process.env.SANDBOX_ISSUER}/sandbox`, json('POST', {}))
    assert.equal(made.status, 201)
    const world = Object.assign(new World(), await made.json())
    test.after(() => fetch(world.control, { method: 'DELETE' }))
    world.user = world.users[0].username
    world.confidential = world.applications.find((app) => app.confidential)
    world.public = world.applications.find((app) => !app.confidential)
    return world
  }

  url(path) {
    return `${this.issuer}${path}`
  }

  /** What the control plane answers; an error is the test's own fault. */
  async steer(method, path, body) {
    const answer = await fetch(`${this.control}${path}`, json(method, body))
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  advance(by) {
    return this.steer('PATCH', '/clock', { advance: by })
  }

  userNamed(username) {
    return this.steer('POST', '/users', { username })
  }

  application(settings) {
    const usual = { redirect_uris: [CALLBACK], scopes: ['read', 'write'] }
    return this.steer('POST', '/applications', { ...usual, ...settings })
  }

  /** Where the browser of the person comes out who decides on the page at `url`. */
  async decide(url, decision = {}) {
    return new URL((await this.steer('POST', '/authorize', { url: url.href, ...decision })).redirect_to)
  }

  /** From now on the next `times` answers of `endpoint` are what `answer` says. */
  script(endpoint, answer, times = 1) {
    return this.steer('POST', '/scripts', { endpoint, times, answer })
  }

  /** The requests that reached `endpoint`, once there are `count`. */
  async seen(endpoint, count = 0) {
    const query = new URLSearchParams({ endpoint, ...(count && { count, wait: 10 }) })
    return (await this.steer('GET', `/requests?${query}`)).requests
  }

  async introspect(token) {
    const { client_id, client_secret } = this.confidential
    const auth = oauth.ClientSecretBasic(client_secret)
    const server = await discovered(this.issuer)
    const answer = await oauth.introspectionRequest(server, { client_id }, auth, token, PLAIN)
    return oauth.processIntrospectionResponse(server, { client_id }, answer)
  }
}

function json(method, body) {
  return body === undefined
    ? { method }
    : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** The metadata of `issuer`, found as RFC 8414 section 3.1 has it. */
export async function discovered(issuer, options = {}) {
  const url = new URL(issuer)
  const answer = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...PLAIN, ...options })
  return oauth.processDiscoveryResponse(url, answer)
}

/** The client under test: signs a person in, keeps the token, calls the interface, refreshes. */
export class Client {
  constructor(world, { application = world.confidential, scope = 'read write', redirectUri = CALLBACK } = {}) {
    this.world = world
    this.client = { client_id: application.client_id }
    this.auth = application.client_secret ? oauth.ClientSecretBasic(application.client_secret) : oauth.None()
    this.scope = scope
    this.redirectUri = redirectUri
    this.options = PLAIN
  }

  async server() {
    return (this.found ??= await discovered(this.world.issuer))
  }

  /** The authorization URL, to be opened in the person's browser. */
  async address() {
    this.state = oauth.generateRandomState()
    this.verifier = oauth.generateRandomCodeVerifier()
    const url = new URL((await this.server()).authorization_endpoint)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.client.client_id,
      redirect_uri: this.redirectUri,
      scope: this.scope,
      state: this.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.verifier),
      code_challenge_method: 'S256',
    })
    return url
  }

  /** The token for what the browser brought back. */
  async redeem(callback) {
    const server = await this.server()
    const brought = oauth.validateAuthResponse(server, this.client, callback, this.state)
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      this.client,
      this.auth,
      brought,
      this.redirectUri,
      this.verifier,
      this.options,
    )
    this.token = await oauth.processAuthorizationCodeResponse(server, this.client, answer)
    return this.token
  }

  async signIn(decision) {
    await this.redeem(await this.world.decide(await this.address(), decision))
    return this
  }

  async refresh(token = this.token.refresh_token) {
    const server = await this.server()
    const answer = await oauth.refreshTokenGrantRequest(server, this.client, this.auth, token, this.options)
    const renewed = await oauth.processRefreshTokenResponse(server, this.client, answer)
    this.token = { ...this.token, ...renewed }
    return this.token
  }

  /** The client's own sign-out: the grant ends with its refresh token. */
  async disconnect() {
    const server = await this.server()
    const { refresh_token } = this.token
    const answer = await oauth.revocationRequest(server, this.client, this.auth, refresh_token, this.options)
    return oauth.processRevocationResponse(answer)
  }

  ask(method, body) {
    const headers = new Headers({ 'content-type': 'application/json' })
    const url = new URL(this.world.url('/api/memos'))
    return oauth.protectedResourceRequest(this.token.access_token, method, url, headers, body, PLAIN)
  }

  memos() {
    return this.ask('GET')
  }

  remember(message) {
    return this.ask('POST', JSON.stringify({ message }))
  }

  async messages() {
    return (await (await this.memos()).json()).memos.map((memo) => memo.message)
  }
}

/** Calls until it works, as often as a patient client does, and again only after a fault of the server. */
export async function patiently(call, tries = 3) {
  try {
    return await call()
  } catch (error) {
    if (tries === 1 || !(error.status >= 500 || error.cause?.status >= 500)) throw error
    return patiently(call, tries - 1)
  }
}

/** What `oauth4webapi` throws for an OAuth error in an answer. */
export function refused(error, status = 400) {
  return (thrown) => {
    assert.equal(thrown.name, 'ResponseBodyError', thrown.stack)
    assert.deepEqual([thrown.error, thrown.status], [error, status])
    return true
  }
}

/** What it throws for a challenge of a protected resource. */
export function challenged(error, status) {
  return (thrown) => {
    assert.equal(thrown.name, 'WWWAuthenticateChallengeError', thrown.stack)
    assert.deepEqual([thrown.cause[0].parameters.error, thrown.status], [error, status])
    return true
  }
}
