// Two OAuth clients that nobody here wrote, behind one face. `hooks` let a test spoil what they send:
// `assertion` and `proof` change header and claims before they are signed, `fetch` sees every request.

import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const plain = { [oauth.allowInsecureRequests]: true } // http on the loopback

export async function imported(jwk, alg = 'ES256') {
  const how = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' }, EdDSA: 'Ed25519' }[alg]
  return { key: await crypto.subtle.importKey('jwk', jwk, how, true, ['sign']), kid: jwk.kid }
}

export const keyPair = (alg = 'ES256') => oauth.generateKeyPair(alg === 'EdDSA' ? 'Ed25519' : alg, { extractable: true })

async function withOauth4webapi({ issuer, clientId, key, holder, form }, hooks) {
  const options = { ...plain, [oauth.customFetch]: hooks.fetch }
  const as = await oauth.processDiscoveryResponse(
    new URL(issuer), await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: 'oauth2' }))
  const client = { client_id: clientId }
  const authentication = oauth.PrivateKeyJwt(key, { [oauth.modifyAssertion]: hooks.assertion })
  const DPoP = oauth.DPoP(client, holder, { [oauth.modifyAssertion]: hooks.proof })
  const again = async (attempt) => {
    try {
      return await attempt()
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      return attempt()
    }
  }
  return {
    as,
    token: () => again(async () => {
      const answer = await oauth.clientCredentialsGrantRequest(as, client, authentication, form, { ...options, DPoP })
      return oauth.processClientCredentialsResponse(as, client, answer)
    }),
    call: (token, method, url, body) => again(() => oauth.protectedResourceRequest(
      token, method, new URL(url), new Headers({ 'content-type': 'application/json' }), body, { ...options, DPoP })),
  }
}

async function withOpenidClient({ issuer, clientId, key, holder, form }, hooks) {
  const authentication = openid.PrivateKeyJwt(key, { [openid.modifyAssertion]: hooks.assertion })
  const config = await openid.discovery(new URL(issuer), clientId, undefined, authentication, {
    algorithm: 'oauth2', execute: [openid.allowInsecureRequests], [openid.customFetch]: hooks.fetch })
  const DPoP = openid.getDPoPHandle(config, holder, { [openid.modifyAssertion]: hooks.proof })
  return {
    as: config.serverMetadata(),
    token: () => openid.clientCredentialsGrant(config, form, { DPoP }),
    call: (token, method, url, body) => openid.fetchProtectedResource(
      config, token, new URL(url), method, body, new Headers({ 'content-type': 'application/json' }), { DPoP }),
  }
}

const LIBRARIES = { oauth4webapi: withOauth4webapi, 'openid-client': withOpenidClient }

export const agent = (library, setting, hooks = {}) => LIBRARIES[library](setting, {
  assertion: hooks.assertion ?? (() => {}),
  proof: hooks.proof ?? (() => {}),
  fetch: hooks.fetch ?? ((...request) => fetch(...request)),
})

// The token's and the request's proof, as oauth4webapi sees them when it is the resource server.
export const validated = (as, request, audience) => oauth.validateJwtAccessToken(
  as, request, audience, { ...plain, requireDPoP: true, signingAlgorithms: ['ES256'] })
