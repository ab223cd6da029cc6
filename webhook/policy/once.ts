/** A pure function that is carried out once for each object, which must never change; forgotten with the object. */
export function once<K extends object, V extends object | string>(find: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>()
  return (key) => {
    const before = known.get(key)
    if (before !== undefined) return before
    const found = find(key)
    known.set(key, found)
    return found
  }
}
