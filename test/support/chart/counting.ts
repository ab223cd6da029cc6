/** A webhook that lets everything through and notes what it was asked. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import { json } from 'node:stream/consumers'
import { childOf, readMap, readString, rootField } from '../../../contract/reader.ts'
import { createTestCertificates } from '../https/certificates.ts'

export interface CountingWebhook extends AsyncDisposable {
  /** PEM in base64. */
  readonly caBundle: string
  readonly origin: string
  /** `/mutate CREATE pods` for each call since the last time, in order; forgets them. */
  takeCalls(): readonly string[]
}

export async function startCountingWebhook(): Promise<CountingWebhook> {
  const { ca, cert, key } = await createTestCertificates()
  let calls: string[] = []
  const server = createServer({ cert, key }, (request, response) => {
    void json(request).then((review) => {
      const text = readerOf(review)
      const subresource = text('subResource')
      const { pathname } = new URL(request.url ?? '', 'https://localhost')
      const resource = [text('resource', 'resource'), subresource].filter((part) => part !== '').join('/')
      calls.push(`${pathname} ${text('operation')} ${resource}`)
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: text('uid'), allowed: true },
        }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    caBundle: Buffer.from(ca).toString('base64'),
    origin: `https://127.0.0.1:${address.port}`,
    takeCalls() {
      const taken = calls
      calls = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Texts of the review's request by their path; empty where there is none. */
const readerOf =
  (review: unknown) =>
  (...path: readonly string[]): string => {
    const field = ['request', ...path].reduce(
      (at, key) => childOf(at, readMap(at) ?? {}, key),
      rootField(review, ''),
    )
    return field.value === undefined ? '' : (readString(field) ?? '')
  }
