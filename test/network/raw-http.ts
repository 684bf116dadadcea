import { connect as connectTcp, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection below HTTP, which sends what it is told and nothing else. */
export interface RawHttp {
  readonly socket: Socket;
  send(text: string | Uint8Array): void;
  /** All that came back, once the server has ended the connection. */
  readonly answer: Promise<string>;
  /** Resolves once this much has come back. */
  heard(text: string): Promise<string>;
}

export async function rawHttp(url: string): Promise<RawHttp> {
  const { hostname, port } = new URL(url);
  const socket = connectTcp({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  let received = '';
  const waiting = new Set<() => void>();
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
    for (const look of waiting) look();
  });
  // A reset is one of the ways in which a server ends a connection.
  socket.on('error', () => {});
  const answer = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(received));
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  return {
    socket,
    send: (text) => void socket.write(text),
    answer,
    heard: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!received.includes(text)) return;
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
        void answer.then(() => reject(new Error(`the connection ended after: ${received}`)));
      }),
  };
}

/** Sends a little every few milliseconds until the connection ends. */
export function trickle({ socket }: RawHttp, next: () => string | Uint8Array): void {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(next());
  }, 10);
  socket.once('close', () => clearInterval(timer));
}
