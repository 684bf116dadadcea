import type { AddressInfo, Server } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import { createBulkServer } from '../../coordinator/http/bulk-routes.ts';
import { createJobRegister } from '../../coordinator/job-register.ts';
import { type NetworkOptions, openNetwork } from '../../coordinator/network.ts';
import { createSessions, type Sessions } from '../../coordinator/sessions.ts';
import { createControlHandlers } from '../../coordinator/transports/control-handlers.ts';
import { createSocketServer } from '../../coordinator/transports/socket-server.ts';
import type { Hex } from '../../shared/bytes.ts';
import { NO_ANCHOR, SESSION_TYPE, typedDataDigest } from '../../shared/commitments/typed-data.ts';
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
  /** What listens. */
  readonly http: Server;
  /** Stops serving; done at the end of the test in any case. */
  readonly stop: () => Promise<void>;
  /** Further jobs of the same coordinator. */
  readonly neighbours: readonly { readonly world: World; readonly life: Life }[];
}

/** How the server of a test differs from the usual one. */
export interface TestServerChoices {
  readonly now?: () => number;
  readonly network?: NetworkOptions;
  /** Jobs besides the first. */
  readonly neighbours?: readonly TestJobChoices[];
}

export async function startServer(
  choices: TestJobChoices = {},
  { now = () => 1_700_000_000_000, network = {}, neighbours: others = [] }: TestServerChoices = {},
): Promise<TestServer> {
  const admission = WALLETS.map(({ address }) => address);
  const { chainId, anchor } = DOMAIN;
  const jobs = createJobRegister();
  const openJob = async (its: TestJobChoices) => {
    const world = await createWorld({ ...its, participation: { admission, ...its.participation } });
    const { terms } = world.job;
    await world.blobs.put(terms.job, terms.manifestBytes);
    const life = await startLife(world, { now });
    jobs.add({ terms, anchor, runner: life.runner, blobs: world.blobs, uploads: life.uploads });
    return { world, life };
  };
  const { world, life } = await openJob(choices);
  const neighbours: { world: World; life: Life }[] = [];
  for (const its of others) neighbours.push(await openJob(its));
  const { log } = life;
  const coordinator = COORDINATOR.address;
  const sessions = createSessions(chainId, coordinator);
  const { guard, certificate, protect } = await openNetwork(network, '127.0.0.1', now);
  const bulk = createBulkServer({ jobs, sessions, guard, certificate, log });
  const handlers = createControlHandlers({ jobs, chainId, coordinator, operators: [], sessions, now });
  await bulk.ready();
  const control = createSocketServer({ http: bulk.server, handlers, sessions, jobs, guard, log, now });
  const unprotect = protect(bulk.server, log);
  await bulk.listen({ host: '127.0.0.1', port: 0 });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      unprotect();
      await control.close();
      await bulk.close();
    })();
    return stopping;
  };
  onTestFinished(stop);
  const scheme = certificate ? 'https' : 'http';
  return {
    url: `${scheme}://127.0.0.1:${(bulk.server.address() as AddressInfo).port}`,
    world,
    life,
    sessions,
    http: bulk.server,
    stop,
    neighbours,
  };
}

/** One connection of the control plane. */
export interface TestConnection {
  readonly socket: Socket;
  /** The job of the server it leads to. */
  readonly job: Hex;
  request<Name extends OperationName>(name: Name, payload: RequestOf<Name>): Promise<Reply<Record<string, unknown>>>;
  /** Sends whatever it is given under whatever name. */
  send(name: string, payload: unknown): Promise<Reply<Record<string, unknown>>>;
  /** Resolves with the reason when the server has closed the connection. */
  readonly closed: Promise<string>;
}

export async function connect({ url, world }: Pick<TestServer, 'url' | 'world'>): Promise<TestConnection> {
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
  return { socket, job: world.job.terms.job, send, request: send, closed };
}

export function signSession(signer: Signer, challenge: Hex, role: Role, coordinator = COORDINATOR.address): Hex {
  const domain = role === 'operator' ? { ...DOMAIN, anchor: NO_ANCHOR } : DOMAIN;
  return signer.signDigest(typedDataDigest(domain, SESSION_TYPE, { coordinator, role, challenge }));
}

/** Asks for a challenge; the reply says whether there is one. */
export function askChallenge(connection: TestConnection, address: Hex, role: Role) {
  const job = role === 'operator' ? null : connection.job;
  return connection.request('session.challenge', { protocol: PROTOCOL_VERSION, address, role, job });
}

export function answerOf<Answer>(reply: Reply<Answer>): Answer {
  if (reply.ok) return reply.answer;
  throw new Error(`${reply.code}: ${reply.message}`);
}

/** A connection with an open session. */
export async function openSession(
  server: Pick<TestServer, 'url' | 'world'>,
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
