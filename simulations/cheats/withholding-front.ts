import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What stands between a coordinator and the world. */
export interface WithholdingFront {
  /** Where the world finds the coordinator. */
  readonly url: string;
  /** From now on nobody is shown the blob of this name. */
  withhold(id: string): void;
  /** Closes every connection. */
  close(): Promise<void>;
}

/**
 * Passes requests and web sockets on to a coordinator as they come, but for blobs that are to be withheld: those it says it
 * has never heard of.
 *
 * @param target - where the coordinator listens, over plain HTTP on this machine
 * @param port - port to listen on, 0 for any free one
 */
export async function openWithholdingFront(target: string, port: number): Promise<WithholdingFront> {
  const { hostname, port: targetPort } = new URL(target);
  const withheld = new Set<string>();
  const sockets = new Set<Socket>();

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method, headers, url = '' } = incoming;
    if ([...withheld].some((id) => url.includes(`/blobs/${id}`))) {
      outgoing.writeHead(404, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ code: 'blob/missing', message: 'there is no such blob' }));
      return;
    }
    const options = { hostname, port: targetPort, path: url, method: method ?? 'GET', headers };
    const onward = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  };

  const upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onward = connect(Number(targetPort), hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      }
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  };

  const server = createServer(pass).on('upgrade', upgrade);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    withhold: (id) => withheld.add(id),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
