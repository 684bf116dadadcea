import { Redis } from 'ioredis';
import { ExperimentError } from '../experiment-error.ts';
import { REDIS_VARIABLE } from './names.ts';

/** Where a Redis server is, and how it is spoken to. */
export interface RedisAddress {
  /** Address without name and password, for people. */
  readonly shown: string;
  /** What its client is given. */
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    readonly tls?: Record<string, never>;
    /** Commands wait for a server that is away for a while. */
    readonly maxRetriesPerRequest: null;
  };
}

const DEFAULT_PORT = 6379;
/** How long a server may take to answer before it counts as away. */
const CONNECT_TIMEOUT_MS = 5000;

/**
 * Reads where a Redis server is. A password may not stand on the command line, where every user of the machine sees it.
 *
 * @param given - what followed `--redis`; true if nothing did
 * @param env - variables of the environment
 * @throws ExperimentError `experiment/redis`; it never repeats a password
 */
export function readRedisAddress(
  given: string | true,
  env: Readonly<Record<string, string | undefined>>,
): RedisAddress {
  const text = given === true ? env[REDIS_VARIABLE] : given;
  const refuse = (why: string): ExperimentError => new ExperimentError('experiment/redis', why);
  if (!text)
    throw refuse(`--redis names no server: give an address such as redis://host:6379, or set ${REDIS_VARIABLE}`);
  if (!URL.canParse(text)) throw refuse('the address of Redis is not one: write it as redis://host:6379/0');
  const { protocol, hostname, port, pathname, username, password } = new URL(text);
  if ((protocol !== 'redis:' && protocol !== 'rediss:') || hostname === '') {
    throw refuse('the address of Redis must begin with redis:// or rediss://, and name a host');
  }
  if (given !== true && password !== '') {
    throw refuse(
      `a password on the command line is seen by every user of this machine: put the address into ${REDIS_VARIABLE}, and give --redis alone`,
    );
  }
  const database = pathname.replace(/^\//, '') || '0';
  if (!/^\d{1,5}$/.test(database)) throw refuse('the database of Redis is a number, as in redis://host:6379/0');
  return {
    shown: `${protocol}//${hostname}:${port || DEFAULT_PORT}/${database}`,
    options: {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || DEFAULT_PORT),
      db: Number(database),
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
      maxRetriesPerRequest: null,
    },
  };
}

/**
 * Asks a server whether it is there, so that a wrong address is told at once rather than tried for ever.
 *
 * @throws ExperimentError `experiment/redis`
 */
export async function requireRedis({ shown, options }: RedisAddress): Promise<void> {
  const client = new Redis({
    ...{ ...options, lazyConnect: true, connectTimeout: CONNECT_TIMEOUT_MS, maxRetriesPerRequest: 1 },
    retryStrategy: () => null,
  });
  let why = '';
  client.on('error', (error: Error) => {
    why = error.message;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (cause) {
    const sentence = `Redis at ${shown} does not answer: ${why || (cause as Error).message}: check the address and that it runs`;
    throw new ExperimentError('experiment/redis', sentence, { address: shown });
  } finally {
    client.disconnect();
  }
}
