import { describe, expect, test } from 'vitest'
import {
  rejectBroken,
  rejectCrowd,
  rejectEmpty,
  rejectHttp,
  rejectJson,
  rejectLate,
  rejectMethod,
  rejectPath,
  rejectReview,
  rejectUtf8,
} from '../../../webhook/server/rejection.ts'
import { formatRejection } from '../../../webhook/server/reply.ts'

describe('rejections', () => {
  test.each([
    [
      rejectPath('/x'),
      404,
      'unknown-path',
      'there is nothing at "/x": send AdmissionReviews to /mutate or /validate',
    ],
    [rejectMethod('PUT', 'POST'), 405, 'wrong-method', 'PUT is not taken here: send POST'],
    [rejectCrowd(), 429, 'too-busy', 'too many reviews are under way: try again in a second'],
    [
      rejectLate(1500),
      504,
      'deadline-exceeded',
      'no answer within 1500 ms: send the body faster, or allow more time (timeoutSeconds, --review-timeout)',
    ],
    [rejectEmpty(), 400, 'empty-body', 'the body is empty: send an AdmissionReview as JSON'],
    [rejectUtf8(), 400, 'not-utf-8', 'the body is not UTF-8: send an AdmissionReview as JSON in UTF-8'],
    [rejectHttp('HPE_HEADER_OVERFLOW'), 431, 'headers-too-large', 'the headers are too large: send fewer'],
    [
      rejectHttp('ERR_HTTP_REQUEST_TIMEOUT'),
      408,
      'request-too-slow',
      'the request came too slowly: send it faster',
    ],
    [rejectHttp('HPE_INVALID_METHOD'), 400, 'not-http', 'the request is not HTTP/1.1: send one that is'],
    [rejectBroken(), 503, 'internal', 'iops-limit broke on this request: see its log, and report it'],
  ])('%j', (rejection, status, reason, message) => {
    expect(rejection).toMatchObject({ status, reason, message })
    expect(JSON.parse(formatRejection(rejection).text)).toEqual({ error: { reason, message } })
  })

  test('carry the headers of their status', () => {
    expect(formatRejection(rejectMethod('PUT', 'POST')).headers).toEqual({ Allow: 'POST' })
    expect(formatRejection(rejectCrowd()).headers).toEqual({ 'Retry-After': '1' })
    expect(formatRejection(rejectEmpty()).headers).toEqual({})
  })

  test.each([
    ['{"a":', ', it ends too soon'],
    ['{"a":secret}                                    ', ''],
    ['{"a" "secret"}', ', it breaks at character 5'],
    ['{"a":"secret', ', it breaks at character 12'],
  ])('tell where %j is not JSON, and quote none of it', (text, place) => {
    let complaint = ''
    try {
      JSON.parse(text)
    } catch (error) {
      complaint = (error as Error).message
    }
    expect(rejectJson(complaint)).toEqual({
      status: 400,
      reason: 'not-json',
      message: `the body is not JSON${place}: send an AdmissionReview as JSON`,
    })
  })

  test('name the fields of a review that is none, up to ten', () => {
    const problem = (field: string) => ({ field, reason: 'is missing', cure: 'send it' })
    expect(rejectReview([problem(''), problem('request.uid')])).toEqual({
      status: 400,
      reason: 'not-a-review',
      message: 'the body: is missing; send it. request.uid: is missing; send it',
    })
    const many = Array.from({ length: 12 }, (_, index) => problem(`f${index}`))
    expect(rejectReview(many).message).toMatch(/f9: is missing; send it\. and 2 more$/)
    expect(rejectReview(many).message).not.toContain('f10')
  })
})
