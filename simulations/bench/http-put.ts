import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from './bench-error.ts';

/** Sends bodies over one connection that stays open. */
export interface PutLane {
  /**
   * PUTs one body, again after a pause for as long as the server asks for one (429).
   *
   * @throws BenchError `bench/refused` unless it is answered with 204 in the end
   */
  put(url: string, body: Uint8Array, token?: string): Promise<void>;
  /** Closes the connection. */
  close(): void;
}

/** What to wait where a server does not say how long, in milliseconds. */
const PAUSE_MS = 250;

/** The one client of every server that is compared: Node's own, a connection of its own, nothing else in the way. */
export function createPutLane(): PutLane {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const putOnce = (url: string, body: Uint8Array, token?: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': body.length,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      const sending = request(url, { method: 'PUT', agent, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve(response));
      });
      sending.once('error', reject);
      sending.end(body);
    });
  return {
    put: async (url, body, token) => {
      for (;;) {
        const { statusCode, headers } = await putOnce(url, body, token);
        if (statusCode === 204) return;
        if (statusCode !== 429) throw new BenchError('bench/refused', `PUT ${url} was answered with ${statusCode}`);
        await delay(Number(headers['retry-after'] ?? 0) * 1000 || PAUSE_MS);
      }
    },
    close: () => agent.destroy(),
  };
}
