/** Codes whose messages speak of the client's own files, records or expenses. */
const OWN_AFFAIRS = /^(carry|client|data|journal|privacy)\//;

/**
 * What a coordinator is told of the reason for a declined round: the code always, the sentence only where it is about the
 * job. Names of files, values of records and what was spent of a budget stay in the client's own log.
 *
 * @param code - of what failed
 * @param message - its sentence
 */
export function declineMessage(code: string, message: string): string {
  return OWN_AFFAIRS.test(code) ? "the client's own log says why" : message.slice(0, 1000);
}
