import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import { createBulkServer } from '../../coordinator/http/bulk-routes.ts';
import { createSessions, type Sessions } from '../../coordinator/sessions.ts';
import { createControlHandlers } from '../../coordinator/transports/control-handlers.ts';
import { createSocketServer } from '../../coordinator/transports/socket-server.ts';
import type { Hex } from '../../shared/bytes.ts';
import { SESSION_TYPE, typedDataDigest } from '../../shared/commitments/typed-data.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import type { OperationName, Reply, RequestOf, Role } from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import { partPath } from '../../shared/protocol/routes.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { COORDINATOR, DOMAIN, type TestJobChoices, WALLETS } from './fixture.ts';
import { createWorld, type Life, startLife, type World } from './runner-harness.ts';

/** A coordinator on a real port, but for its chain. */
export interface TestServer {
  readonly url: string;
  readonly world: World;
  readonly life: Life;
  readonly sessions: Sessions;
}

export async function startServer(
  choices: TestJobChoices = {},
  { openBlobs = true, now = () => 1_700_000_000_000 }: { openBlobs?: boolean; now?: () => number } = {},
): Promise<TestServer> {
  const world = await createWorld(choices);
  const life = await startLife(world, { now });
  const { runner, uploads, log } = life;
  const { job, layout } = world.job.terms;
  const participants = WALLETS.map(({ address }) => address);
  const sessions = createSessions({
    domain: DOMAIN,
    coordinator: COORDINATOR.address,
    mayBe: (address, role) => (role === 'operator' ? address === COORDINATOR.address : participants.includes(address)),
  });
  const bulk = createBulkServer({ job, blobs: world.blobs, uploads, sessions, openBlobs, log });
  const { chainId, anchor } = DOMAIN;
  const handlers = createControlHandlers({
    ...{ job, layout, chainId, anchor, coordinator: COORDINATOR.address, runner, sessions, uploads, now },
  });
  await bulk.ready();
  const control = createSocketServer({ http: bulk.server, handlers, sessions, job, runner, log, now });
  await bulk.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await control.close();
    await bulk.close();
  });
  return { url: `http://127.0.0.1:${(bulk.server.address() as AddressInfo).port}`, world, life, sessions };
}

/** One connection of the control plane. */
export interface TestConnection {
  readonly socket: Socket;
  request<Name extends OperationName>(name: Name, payload: RequestOf<Name>): Promise<Reply<Record<string, unknown>>>;
  /** Sends whatever it is given under whatever name. */
  send(name: string, payload: unknown): Promise<Reply<Record<string, unknown>>>;
  /** Resolves with the reason when the server has closed the connection. */
  readonly closed: Promise<string>;
}

export async function connect({ url }: Pick<TestServer, 'url'>): Promise<TestConnection> {
  const socket = io(url, {
    transports: ['websocket'],
    parser: { Encoder, Decoder },
    reconnection: false,
    forceNew: true,
  });
  onTestFinished(() => void socket.disconnect());
  const closed = new Promise<string>((resolve) => {
    socket.once('disconnect', resolve);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const send: TestConnection['send'] = (name, payload) => socket.timeout(10_000).emitWithAck(name, payload);
  return { socket, send, request: send, closed };
}

export function signSession(signer: Signer, challenge: Hex, role: Role, coordinator = COORDINATOR.address): Hex {
  return signer.signDigest(typedDataDigest(DOMAIN, SESSION_TYPE, { coordinator, role, challenge }));
}

/** Asks for a challenge; the reply says whether there is one. */
export function askChallenge({ request }: TestConnection, address: Hex, role: Role) {
  return request('session.challenge', { protocol: PROTOCOL_VERSION, address, role });
}

export function answerOf<Answer>(reply: Reply<Answer>): Answer {
  if (reply.ok) return reply.answer;
  throw new Error(`${reply.code}: ${reply.message}`);
}

/** A connection with an open session. */
export async function openSession(
  server: Pick<TestServer, 'url'>,
  signer: Signer,
  role: Role = 'participant',
): Promise<TestConnection & { readonly token: string }> {
  const connection = await connect(server);
  const { challenge } = answerOf(await askChallenge(connection, signer.address, role));
  const signature = signSession(signer, challenge as Hex, role);
  const { token } = answerOf(await connection.request('session.open', { signature }));
  return { ...connection, token: token as string };
}

/** PUTs or HEADs one part of an update. */
export function sendPart(
  { url, world }: TestServer,
  {
    root,
    part = 0,
    token,
    job = world.job.terms.job,
  }: { root: Hex; part?: number | string; token?: string | undefined; job?: Hex },
  body?: Uint8Array | Int16Array,
  contentType = 'application/octet-stream',
): Promise<Response> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const path = partPath(job, root, part as number);
  if (body === undefined) return fetch(url + path, { method: 'HEAD', headers: authorization });
  const bytes = body instanceof Int16Array ? vectorBytes(body) : body;
  return fetch(url + path, {
    ...{ method: 'PUT', headers: { ...authorization, 'content-type': contentType } },
    body: Uint8Array.from(bytes),
  });
}
