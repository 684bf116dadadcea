/** Lets the process serve its sockets and timers before it computes on. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
