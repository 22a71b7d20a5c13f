// The thirty scenarios, each in a world of its own in one running `tegata sandbox`, all at once.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import * as oauth from 'oauth4webapi'

import { Client, World, challenged, discovered, patiently, refused } from './sandbox.js'

// Long enough for a busy machine to answer in, short enough to wait out.
const PATIENCE = 1000

describe('authorization', { concurrency: true }, () => {
  test('01 a person says yes and the interface opens', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn()
    assert.equal((await client.remember('fuji')).status, 201)
    assert.deepEqual(await client.messages(), ['fuji'])
    assert.deepEqual(statuses(await world.seen('token', 1)), [200])
    assert.deepEqual((await world.seen('memos', 2)).map((seen) => seen.method), ['POST', 'GET'])
  })

  test('02 a person says no and no token is asked for', async (t) => {
    const world = await World.make(t)
    await assert.rejects(new Client(world).signIn({ decision: 'deny' }), {
      name: 'AuthorizationResponseError',
      error: 'access_denied',
    })
    assert.deepEqual(await world.seen('token'), [])
  })

  test('03 less is granted than was asked for', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn({ scope: 'read' })
    assert.equal(client.token.scope, 'read')
    assert.deepEqual(await client.messages(), [])
    await assert.rejects(client.remember('fuji'), challenged('insufficient_scope', 403))

    await world.script('token', { omit: ['scope'] })
    await client.signIn()
    assert.equal(client.token.scope, undefined, 'without scope, what was asked for is granted (RFC 6749 section 5.1)')
    assert.equal((await client.remember('fuji')).status, 201)
  })

  test("04 a state that is another's or is missing stops the client", async (t) => {
    const world = await World.make(t)
    const [mine, hers] = [new Client(world), new Client(world)]
    await mine.address()
    const callback = await world.decide(await hers.address())
    const unexpected = { code: 'OAUTH_INVALID_RESPONSE' }
    await assert.rejects(mine.redeem(callback), unexpected)
    const stateless = new URL(callback)
    stateless.searchParams.delete('state')
    await assert.rejects(mine.redeem(stateless), unexpected)
    assert.deepEqual(await world.seen('token'), [], 'nothing was sent for a redirect that is not ours')

    await hers.redeem(callback)
    await assert.rejects(hers.redeem(callback), refused('invalid_grant'))

    const elsewhere = new Client(await World.make(t))
    Object.assign(elsewhere, { state: hers.state, verifier: hers.verifier })
    await assert.rejects(elsewhere.redeem(callback), unexpected, 'iss names another server (RFC 9207)')
  })

  test('05 a redirect with a code and an error is an error', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    callback.searchParams.set('error', 'access_denied')
    await assert.rejects(client.redeem(callback), { error: 'access_denied' })
    assert.deepEqual(await world.seen('token'), [])
  })

  test('06 a redirect without a code is refused by the client', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    callback.searchParams.delete('code')
    await assert.rejects(client.redeem(callback), { message: /no authorization code/ })
    assert.deepEqual(await world.seen('token'), [])
  })

  test('07 a redirect URI elsewhere never gets the browser', async (t) => {
    const world = await World.make(t)
    for (const redirectUri of [
      'https://evil.example/callback',
      '//evil.example',
      'http://127.0.0.1.evil.example/callback',
    ]) {
      const address = await new Client(world, { redirectUri }).address()
      const page = await fetch(address, { redirect: 'manual' })
      assert.deepEqual([page.status, page.headers.get('location')], [400, null], redirectUri)
      await assert.rejects(world.decide(address), /400.*invalid_request/, redirectUri)
    }
  })

  test('08 a public client is held to PKCE', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world, { application: world.public }).signIn()
    assert.deepEqual(await client.messages(), [])

    const callback = await world.decide(await client.address())
    client.verifier = oauth.generateRandomCodeVerifier()
    await assert.rejects(client.redeem(callback), refused('invalid_grant'))
    assert.match((await world.seen('token', 2))[1].reason, /verifier/)

    const address = await client.address()
    address.searchParams.delete('code_challenge')
    address.searchParams.delete('code_challenge_method')
    await assert.rejects(client.redeem(await world.decide(address)), { error: 'invalid_request' })
  })

  test('09 more is asked for step by step', async (t) => {
    const world = await World.make(t)
    const first = await new Client(world, { scope: 'read' }).signIn()
    await assert.rejects(first.remember('fuji'), challenged('insufficient_scope', 403))
    const second = await new Client(world).signIn()
    assert.equal((await second.remember('fuji')).status, 201)
    assert.deepEqual(await first.messages(), ['fuji'], 'the narrower token goes on')
  })
})

describe('codes', { concurrency: true }, () => {
  test('10 a code expires', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    await world.advance('61s')
    await assert.rejects(client.redeem(callback), refused('invalid_grant'))
    assert.match((await world.seen('token', 1))[0].reason, /expired/)
  })

  test('11 a code that comes twice ends what came of it', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    await client.redeem(callback)
    await assert.rejects(client.redeem(callback), refused('invalid_grant'))
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
    await assert.rejects(client.refresh(), refused('invalid_grant'))
  })

  test("12 a code that is wrong or another's is refused", async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    const wrong = new URL(callback)
    wrong.searchParams.set('code', 'tgc_made-up')
    await assert.rejects(client.redeem(wrong), refused('invalid_grant'))

    const thief = new Client(world, { application: await world.application({ confidential: true }) })
    Object.assign(thief, { state: client.state, verifier: client.verifier })
    await assert.rejects(thief.redeem(callback), refused('invalid_grant'))
    const reasons = (await world.seen('token', 2)).map((seen) => seen.reason)
    assert.deepEqual(reasons, ['code_unknown', 'code_unknown'])
    assert.ok((await client.redeem(callback)).access_token, 'whose it is can still redeem it')
  })

  test('13 a wrong secret is told and does not cost the code', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    const right = client.auth
    client.auth = oauth.ClientSecretBasic('wrong')
    await assert.rejects(client.redeem(callback), invalidClient)
    client.auth = right
    assert.ok((await client.redeem(callback)).access_token)
    assert.deepEqual(statuses(await world.seen('token', 2)), [401, 200])
  })

  test('14 a code is bound to its redirect URI', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    client.redirectUri = 'http://127.0.0.1:8765/elsewhere'
    await assert.rejects(client.redeem(callback), refused('invalid_grant'))
    assert.match((await world.seen('token', 1))[0].reason, /redirect/)
  })

  test('15 a client shows its secret in the header, in the body, or has none', async (t) => {
    const world = await World.make(t)
    const [basic, post, none] = [new Client(world), new Client(world), new Client(world, { application: world.public })]
    post.auth = oauth.ClientSecretPost(world.confidential.client_secret)
    for (const client of [basic, post, none]) {
      assert.equal((await (await client.signIn()).memos()).status, 200)
    }
    post.auth = oauth.None()
    await assert.rejects(post.signIn(), invalidClient)
    none.auth = oauth.ClientSecretBasic('a-secret-it-does-not-have')
    await assert.rejects(none.signIn(), invalidClient)
    assert.deepEqual(statuses(await world.seen('token', 5)), [200, 200, 200, 401, 401])
  })
})

describe('tokens', { concurrency: true }, () => {
  test('16 a token expires and the client refreshes', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn()
    const { access_token, expires_in } = client.token
    await world.advance(expires_in + 1)
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
    await client.refresh()
    assert.notEqual(client.token.access_token, access_token)
    assert.deepEqual(await client.messages(), [])
  })

  test('17 without a refresh token the person is asked again', async (t) => {
    const world = await World.make(t)
    const application = await world.application({ confidential: true, grants: ['authorization_code'] })
    const client = await new Client(world, { application }).signIn()
    assert.equal(client.token.refresh_token, undefined)
    await world.advance(client.token.expires_in + 1)
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
    assert.equal((await (await client.signIn()).memos()).status, 200)
  })

  test('18 a refresh token that is revoked or made up is refused', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn()
    await world.steer('POST', '/revoke', { token: client.token.refresh_token })
    await assert.rejects(client.refresh(), refused('invalid_grant'))
    await assert.rejects(client.refresh('tgr_made-up'), refused('invalid_grant'))
    const minted = await world.steer('POST', '/tokens', { scope: 'read', refresh_token: true, revoked: true })
    await assert.rejects(client.refresh(minted.refresh_token), refused('invalid_grant'))
  })

  test('19 a refresh token rotates and two at once get the same', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn()
    const old = client.token.refresh_token
    const rivals = [1, 2, 3, 4].map(() => Object.assign(new Client(world), { token: client.token }))
    const renewed = await Promise.all(rivals.map((rival) => rival.refresh()))
    assert.equal(new Set(renewed.map((token) => token.refresh_token)).size, 1, 'a lost answer is given again')
    assert.notEqual(renewed[0].refresh_token, old)
    assert.equal((await rivals[0].memos()).status, 200)

    await world.advance('1m')
    await assert.rejects(client.refresh(old), refused('invalid_grant'))
    await assert.rejects(rivals[0].memos(), challenged('invalid_token', 401), 'an old one is a stolen one')
    await assert.rejects(rivals[0].refresh(), refused('invalid_grant'))
  })

  test('20 the provider takes everything back', async (t) => {
    const world = await World.make(t)
    await world.userNamed('mei')
    const client = await new Client(world).signIn()
    const kept = await new Client(world).signIn({ username: 'mei' })
    assert.ok((await world.steer('POST', '/revoke', { username: world.user })).revoked >= 1)
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
    assert.deepEqual(await world.introspect(client.token.access_token), { active: false })
    await assert.rejects(client.refresh(), refused('invalid_grant'))
    assert.equal((await kept.memos()).status, 200)
  })

  test('21 the client disconnects', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world).signIn()
    await client.disconnect()
    await client.disconnect()
    assert.deepEqual(statuses(await world.seen('revoke', 2)), [200, 200], 'dead already is no error')
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
    await assert.rejects(client.refresh(), refused('invalid_grant'))
  })

  test('22 the person behind a session changes', async (t) => {
    const world = await World.make(t)
    await world.userNamed('mei')
    const client = await new Client(world).signIn()
    await client.remember('fuji')
    const before = await world.introspect(client.token.access_token)
    await client.signIn({ username: 'mei' })
    const after = await world.introspect(client.token.access_token)
    assert.deepEqual([before.username, after.username], [world.user, 'mei'])
    assert.notEqual(before.sub, after.sub)
    assert.deepEqual(await client.messages(), [], "another person's memos are not shown")

    await world.steer('DELETE', '/users/mei')
    await assert.rejects(client.memos(), challenged('invalid_token', 401))
  })

  test('23 many connections live and die apart', async (t) => {
    const world = await World.make(t)
    const people = Array.from({ length: 16 }, (_, number) => `person-${number}`)
    const connect = async (username) => {
      await world.userNamed(username)
      const client = await new Client(world).signIn({ username })
      await client.remember(username)
      return client
    }
    const clients = await Promise.all(people.map(connect))
    await world.steer('POST', '/revoke', { username: 'person-3' })
    const answers = await Promise.allSettled(clients.map((client) => client.messages()))
    const dead = answers.flatMap((answer, number) => (answer.status === 'rejected' ? [number] : []))
    assert.deepEqual(dead, [3])
    assert.deepEqual(answers[5].value, ['person-5'])

    const stranger = Object.assign(new Client(await World.make(t)), { token: clients[5].token })
    await assert.rejects(stranger.memos(), challenged('invalid_token', 401), 'it is nothing in another world')
  })

  test('24 clocks that disagree do no harm', async (t) => {
    const world = await World.make(t)
    for (const now of ['2031-05-06T07:08:09Z', '2020-01-01T00:00:00Z']) {
      await world.steer('PATCH', '/clock', { now, frozen: true })
      const client = await new Client(world).signIn()
      assert.deepEqual(await client.messages(), [], 'expires_in is relative: no clock is compared')
      const told = await world.introspect(client.token.access_token)
      assert.equal(told.exp - told.iat, client.token.expires_in)
      await world.advance(client.token.expires_in - 1)
      assert.equal((await client.memos()).status, 200)
      await world.advance(1)
      await assert.rejects(client.memos(), challenged('invalid_token', 401))
      await client.refresh()
      await world.advance('366d')
      await assert.rejects(client.refresh(), refused('invalid_grant'))
    }
  })
})

describe('faults', { concurrency: true }, () => {
  for (const status of [500, 502, 503, 504]) {
    test(`25 a token endpoint that says ${status} costs nothing`, async (t) => {
      const world = await World.make(t)
      const client = new Client(world)
      const callback = await world.decide(await client.address())
      await world.script('token', { status })
      await assert.rejects(client.redeem(callback), { name: 'OperationProcessingError' })
      await world.script('token', { status, error: 'temporarily_unavailable' })
      await assert.rejects(client.redeem(callback), (error) => error.cause.status === status)
      assert.ok((await client.redeem(callback)).access_token, 'the code was never spent')
      assert.deepEqual(statuses(await world.seen('token', 3)), [status, status, 200])
    })
  }

  test('26 it fails twice and then works', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    await world.script('token', { status: 503 }, 2)
    await patiently(() => client.redeem(callback))
    assert.equal((await client.memos()).status, 200)
    assert.deepEqual(statuses(await world.seen('token', 3)), [503, 503, 200])
  })

  for (const [answer, error] of [
    [{ template: 'malformed_json' }, { code: 'OAUTH_PARSE_ERROR' }],
    [{ content_type: 'text/html', body: '<h1>Welcome</h1>' }, { code: 'OAUTH_RESPONSE_IS_NOT_JSON' }],
    [{ template: 'empty' }, { code: 'OAUTH_PARSE_ERROR' }],
    [{ omit: ['access_token'] }, { code: 'OAUTH_INVALID_RESPONSE' }],
    [{ omit: ['token_type'] }, { code: 'OAUTH_INVALID_RESPONSE' }],
    [{ set: { expires_in: 'soon' } }, { code: 'OAUTH_INVALID_RESPONSE' }],
    [{ drop: true }, TypeError],
    [{ drop: 'answer' }, TypeError],
    [{ truncate: true }, { code: 'OAUTH_PARSE_ERROR' }],
  ]) {
    test(`27 nonsense is no token: ${JSON.stringify(answer)}`, async (t) => {
      const world = await World.make(t)
      const client = new Client(world)
      await world.script('token', answer)
      await assert.rejects(client.signIn(), error)
      assert.equal(client.token, undefined)
      assert.equal((await (await client.signIn()).memos()).status, 200, 'one answer was nonsense, the next is not')
    })
  }

  for (const [endpoint, method, path] of [
    ['metadata', 'GET', '/.well-known/oauth-authorization-server'],
    ['authorize', 'GET', '/oauth/authorize'],
    ['token', 'POST', '/oauth/token'],
    ['revoke', 'POST', '/oauth/revoke'],
    ['introspect', 'POST', '/oauth/introspect'],
    ['device_authorization', 'POST', '/oauth/device_authorization'],
    ['token_info', 'GET', '/oauth/token/info'],
    ['memos', 'GET', '/api/memos'],
  ]) {
    test(`28 an endpoint that says nothing stalls nobody else: ${endpoint}`, async (t) => {
      const [world, nextDoor] = [await World.make(t), await World.make(t)]
      await world.script(endpoint, { stall: true })
      const patience = { signal: AbortSignal.timeout(PATIENCE) }
      const timeout = { name: 'TimeoutError' }
      if (endpoint === 'metadata') await assert.rejects(discovered(world.issuer, patience), timeout)
      else await assert.rejects(fetch(world.url(path), { method, ...patience }), timeout)
      for (const other of [nextDoor, world]) {
        const answer = await fetch(other.url(path), { method, signal: AbortSignal.timeout(10_000) })
        assert.ok(answer.status < 500, 'once was said: it is over')
      }
    })
  }

  test('29 the interface says 401, 403, 429 and 500', async (t) => {
    const world = await World.make(t)
    const client = await new Client(world, { scope: 'read' }).signIn()
    assert.equal((await client.memos()).status, 200)
    await assert.rejects(client.remember('fuji'), challenged('insufficient_scope', 403))
    const nobody = Object.assign(new Client(world), { token: { access_token: 'tga_nobody' } })
    await assert.rejects(nobody.memos(), challenged('invalid_token', 401))
    await world.script('memos', { status: 429, retry_after: 7 })
    const limited = await client.memos()
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7'])
    for (const status of [500, 502, 503]) {
      await world.script('memos', { status })
      assert.equal((await client.memos()).status, status)
    }
    assert.equal((await client.memos()).status, 200)
  })

  test('30 no secret is told', async (t) => {
    const world = await World.make(t)
    const client = new Client(world)
    const callback = await world.decide(await client.address())
    const first = await client.redeem(callback)
    const second = await client.refresh()
    await client.memos()

    const secrets = [world.confidential.client_secret, world.users[0].password, client.verifier]
    secrets.push(callback.searchParams.get('code'))
    for (const token of [first, second]) secrets.push(token.access_token, token.refresh_token)
    const [redeemed, refreshed] = await world.seen('token', 2)
    const told = JSON.stringify([redeemed, refreshed, await world.seen('memos', 1), await world.seen('authorize')])
    assert.deepEqual(secrets.filter((secret) => told.includes(secret)), [])
    assert.equal(redeemed.answer.refresh_token, refreshed.parameters.refresh_token, 'masked, yet told apart')
    assert.notEqual(redeemed.answer.refresh_token, refreshed.answer.refresh_token)
  })
})

function statuses(record) {
  return record.map((seen) => seen.status)
}

/** A refused client: told by a challenge where it came by Basic (RFC 6749 section 5.2). */
function invalidClient(thrown) {
  assert.ok(['ResponseBodyError', 'WWWAuthenticateChallengeError'].includes(thrown.name), thrown.stack)
  assert.equal(thrown.status, 401)
  return true
}
