/** What is mostly known at once: a promise that nobody has to wait for takes as long as finding a rule. */
export type Later<T> = T | Promise<T>

/** `then` of a promise, at once where the value is here. Never throws: what `next` throws is a promise's rejection. */
export function proceed<T, U>(value: Later<T>, next: (value: T) => Later<U>): Later<U> {
  if (value instanceof Promise) return value.then(next)
  try {
    return next(value)
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
}
