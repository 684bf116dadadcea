/** A promise with its handles. */
export interface Deferred<T> {
  /** Settles by the handles. */
  readonly promise: Promise<T>;
  /** Settles it well. */
  resolve(value: T): void;
}

/** Creates a promise that somebody else resolves. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((onResolve) => {
    resolve = onResolve;
  });
  return { promise, resolve: (value) => resolve(value) };
}
