/** The configuration sees to it: what no file gives has a cluster. */
export function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('neither a file nor a cluster')
  return value
}
