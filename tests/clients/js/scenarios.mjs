// node scenarios.mjs LIBRARY < setting.json: what comes of each scenario, as one JSON object.

import { agent, imported, keyPair, validated } from './agents.mjs'

const library = process.argv[2]
const setting = JSON.parse(await new Response(process.stdin).text())
const { issuer, clientId, jwk, alg = 'ES256', form, only } = setting
const key = await imported(jwk, alg)
const areas = `${issuer}/v1/areas`
const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const made = async (hooks, holder) => agent(library, { issuer, clientId, key, form, holder: holder ?? await keyPair() }, hooks)

// Sees what is sent, and may replace it: `token` and `api` change the headers or the form of those requests.
function tap({ token = () => {}, api = () => {} } = {}) {
  const seen = []
  const tapped = async (url, request) => {
    const headers = new Headers(request.headers)
    const body = typeof request.body === 'string' ? new URLSearchParams(request.body) : request.body
    if (url.endsWith('/oauth2/token')) token(headers, body)
    else if (url.includes('/v1/')) api(headers)
    seen.push({ url, headers, body })
    const sent = body instanceof URLSearchParams ? body.toString() : body
    return fetch(url, { method: request.method, headers, body: sent, redirect: 'manual' })
  }
  return { tapped, seen }
}

const tokenWith = async (hooks) => (await made(hooks)).token()
const spoiledAssertion = (spoil) => () => tokenWith({ assertion: spoil })
const spoiledForm = (spoil) => () => tokenWith({ fetch: tap({ token: (_, form) => spoil(form) }).tapped })

const callWith = async (hooks, holder) => {
  const pair = await keyPair()
  const { access_token } = await (await made({}, pair)).token()
  return (await made(hooks, holder ?? pair)).call(access_token, 'GET', areas)
}
const spoiledProof = (spoil) => () => callWith({ proof: (header, payload) => payload.ath && spoil(header, payload) })
const spoiledCall = (spoil) => () => callWith({ fetch: tap({ api: spoil }).tapped })

async function flow() {
  const { tapped, seen } = tap()
  const one = await made({ fetch: tapped })
  const token = await one.token()
  const answers = []
  for (const path of ['/v1/areas', '/v1/organizations?limit=5', '/v1/handovers?direction=incoming', '/v1/events?after=0'])
    answers.push((await one.call(token.access_token, 'GET', issuer + path)).status)
  const { url, headers } = seen.at(-1)
  const claims = await validated(one.as, new Request(url, { headers }), issuer)
  return {
    status: 200, type: token.token_type, life: token.expires_in, answers,
    tokenRequests: seen.filter((one) => one.url.endsWith('/oauth2/token')).length,
    calls: seen.filter((one) => one.url.includes('/v1/')).length,
    bound: typeof claims.cnf?.jkt === 'string', org: claims.org,
  }
}

async function replayedAssertion() {
  const { tapped, seen } = tap()
  await (await made({ fetch: tapped })).token()
  const used = seen.at(-1).body.get('client_assertion')
  return spoiledForm((form) => form.set('client_assertion', used))()
}

async function replayedTokenProof() {
  const { tapped, seen } = tap()
  const pair = await keyPair()
  await (await made({ fetch: tapped }, pair)).token()
  const used = seen.at(-1).headers.get('dpop')
  return (await made({ fetch: tap({ token: (headers) => headers.set('dpop', used) }).tapped }, pair)).token()
}

async function replayedCallProof() {
  const { tapped, seen } = tap()
  const pair = await keyPair()
  const one = await made({ fetch: tapped }, pair)
  const { access_token } = await one.token()
  await one.call(access_token, 'GET', areas)
  const used = seen.at(-1).headers.get('dpop')
  return (await made({ fetch: tap({ api: (headers) => headers.set('dpop', used) }).tapped }, pair)).call(access_token, 'GET', areas)
}

async function keyConfusion(form) {
  const secret = await crypto.subtle.importKey('raw', Buffer.from(setting.publicPem), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signed = `${b64({ alg: 'HS256', kid: jwk.kid })}.${form.get('client_assertion').split('.')[1]}`
  return `${signed}.${Buffer.from(await crypto.subtle.sign('HMAC', secret, Buffer.from(signed))).toString('base64url')}`
}

async function confused() {
  const { tapped, seen } = tap()
  await (await made({ fetch: tapped })).token()
  const forged = await keyConfusion(seen.at(-1).body)
  return spoiledForm((form) => form.set('client_assertion', forged))()
}

const unsigned = (compact) => {
  const [header, claims] = compact.split('.')
  return `${b64({ ...JSON.parse(Buffer.from(header, 'base64url')), alg: 'none' })}.${claims}.`
}

const SCENARIOS = {
  flow,
  'token': () => tokenWith({}),
  'replayed assertion': replayedAssertion,
  'replayed proof at the token endpoint': replayedTokenProof,
  'replayed proof at the API': replayedCallProof,
  'aud array': spoiledAssertion((_, payload) => { payload.aud = [issuer] }),
  'aud of the token endpoint': spoiledAssertion((_, payload) => { payload.aud = `${issuer}/oauth2/token` }),
  'aud of another server': spoiledAssertion((_, payload) => { payload.aud = 'https://elsewhere.example' }),
  'far exp': spoiledAssertion((_, payload) => { payload.exp += 86_400 }),
  'past exp': spoiledAssertion((_, payload) => { payload.exp -= 86_400 }),
  'no jti': spoiledAssertion((_, payload) => { delete payload.jti }),
  'alg none named in the assertion': spoiledAssertion((header) => { header.alg = 'none' }),
  'alg none in the assertion': spoiledForm((form) => form.set('client_assertion', unsigned(form.get('client_assertion')))),
  'key confusion': confused,
  'unknown key': spoiledAssertion((header) => { header.kid = 'unknown' }),
  'no proof for a token': () => tokenWith({ fetch: tap({ token: (headers) => headers.delete('dpop') }).tapped }),
  'two proofs for a token': () => tokenWith({ fetch: tap({ token: (headers) => headers.append('dpop', headers.get('dpop')) }).tapped }),
  'wrong htm': spoiledProof((_, payload) => { payload.htm = 'POST' }),
  'wrong htu': spoiledProof((_, payload) => { payload.htu = `${issuer}/v1/events` }),
  'htu of another server': spoiledProof((_, payload) => { payload.htu = 'https://elsewhere.example/v1/areas' }),
  'wrong ath': spoiledProof((_, payload) => { payload.ath = b64('x'.repeat(32)) }),
  'no ath': spoiledProof((_, payload) => { delete payload.ath }),
  'old proof': spoiledProof((_, payload) => { payload.iat -= 61 }),
  'proof of the future': spoiledProof((_, payload) => { payload.iat += 20 }),
  'wrong typ of the proof': spoiledProof((header) => { header.typ = 'JWT' }),
  'alg none in the proof': spoiledCall((headers) => headers.set('dpop', unsigned(headers.get('dpop')))),
  'private key in the proof': spoiledProof((header) => { header.jwk = { ...jwk } }),
  'stolen token with another key': async () => callWith({}, await keyPair()),
  'stolen token without a proof': spoiledCall((headers) => headers.delete('dpop')),
  'stolen token as bearer': spoiledCall((headers) => {
    headers.set('authorization', headers.get('authorization').replace(/^DPoP/i, 'Bearer'))
    headers.delete('dpop')
  }),
  'held token': async () => {
    const holder = { privateKey: null, publicKey: null }
    for (const [half, use] of [['privateKey', 'sign'], ['publicKey', 'verify']])
      holder[half] = await crypto.subtle.importKey('jwk', setting.held[half], { name: 'ECDSA', namedCurve: 'P-256' }, true, [use])
    return (await made({}, holder)).call(setting.held.token, 'GET', areas)
  },
  'token to hold': async () => {
    const holder = await keyPair()
    const { access_token } = await (await made({}, holder)).token()
    const half = (one) => crypto.subtle.exportKey('jwk', one)
    return { status: 200, token: access_token, privateKey: await half(holder.privateKey), publicKey: await half(holder.publicKey) }
  },
}

const told = (error) => ({
  status: error.status ?? error.cause?.status ?? null,
  error: error.error ?? [error.cause].flat()[0]?.parameters?.error ?? error.cause?.error ?? null,
  unexpected: error.status ?? error.cause?.status ? undefined : String(error.stack ?? error),
})

const results = {}
for (const name of only ?? Object.keys(SCENARIOS).filter((one) => one !== 'held token')) {
  try {
    const { status, ...rest } = await SCENARIOS[name]()
    results[name] = { status: status ?? 200, ...(rest.access_token ? {} : rest) }
  } catch (error) {
    results[name] = told(error)
  }
}
console.log(JSON.stringify(results))
