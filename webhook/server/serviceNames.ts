/**
 * The names by which the webhook's Service is called: by the API server `NAME.NAMESPACE.svc`.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference
 */
import { type ParsedNames, parseNames } from '../../certs/names.ts'

export const findServername = (service: string, namespace: string): string => `${service}.${namespace}.svc`

export const parseServiceNames = (service: string, namespace: string): ParsedNames => {
  const name = findServername(service, namespace)
  return parseNames({ dns: [name, `${name}.cluster.local`], ips: [] })
}
