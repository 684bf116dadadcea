import type { Server, Socket } from 'node:net';
import type { NetworkLimits } from './network-limits.ts';
import type { Peers } from './peers.ts';
import { createSlots } from './slots.ts';

/**
 * Holds a server to its connections: in all, and from each address. What is beyond is closed before a byte of it is
 * read, so before any TLS handshake. Connections of a proxy carry many clients and count in the total alone.
 *
 * @param server - before it listens
 * @returns ends the connections that are still in a TLS handshake, which closing a server would wait for
 */
export function guardConnections(
  server: Server,
  peers: Peers,
  limits: Pick<NetworkLimits, 'connections' | 'connectionsPerAddress'>,
): () => void {
  server.maxConnections = limits.connections;
  const slots = createSlots(limits.connectionsPerAddress, Number.POSITIVE_INFINITY);
  const isSecure = 'setSecureContext' in server;
  const shaking = new Map<string, Socket>();
  server.on('secureConnection', (socket: Socket) => shaking.delete(endOf(socket)));
  server.on('connection', (socket) => {
    const end = endOf(socket);
    if (isSecure) shaking.set(end, socket);
    socket.once('close', () => shaking.delete(end));
    const peer = peers.isShared(socket.remoteAddress) ? undefined : peers.keyOf(socket.remoteAddress);
    if (peer === undefined) return;
    const release = slots.take(peer);
    if (release) socket.once('close', release);
    else socket.destroy();
  });
  return () => {
    for (const socket of shaking.values()) socket.destroy();
  };
}

/** The other end of a connection, which two at once never share. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
