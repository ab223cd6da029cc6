/** Names as Kubernetes takes them. Source: k8s.io/apimachinery/pkg/util/validation. */

const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

export const isLabelValue = (text: string): boolean => LABEL_VALUE.test(text)

/** A DNS-1123 label: 63 characters at most. */
export const isDnsLabel = (text: string): boolean => DNS_LABEL.test(text)

export const isDnsSubdomain = (text: string): boolean => text.length <= 253 && DNS_SUBDOMAIN.test(text)

const LABEL_KEY =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** A label's key: a name, with or without a DNS prefix before a slash. */
export const isLabelKey = (text: string): boolean => LABEL_KEY.test(text)
