import { type DestinationStream, type Logger, pino } from 'pino';

/** Names of fields whose values never reach a log, at the top and one level down. */
const SECRETS = [
  ...['key', 'privateKey', 'secret', 'seedSecret', 'password', 'passphrase', 'mnemonic', 'token', 'authorization'],
  ...['cookie', 'rawTransaction'],
];

/**
 * Creates a structured log: one line of JSON an entry, secrets taken out by name.
 *
 * @param level - least level that is written
 * @param destination - where lines go; default standard error, written at once so that a crash loses none
 */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({ name: 'coordinator', level, redact: { paths, censor: '[redacted]' } }, destination);
}
