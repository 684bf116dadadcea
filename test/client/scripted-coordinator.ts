import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { ChainFacts } from '../../client/session/check-terms.ts';
import { createWallet, recoverAddress, type Signer } from '../../contracts/wallet.ts';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { receiptDigest, type Verdict } from '../../shared/commitments/receipt.ts';
import { SESSION_TYPE, typedDataDigest } from '../../shared/commitments/typed-data.ts';
import { partRoot, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import {
  type JobStateMessage,
  NOTICES,
  OPERATIONS,
  type OperationName,
  type RequestOf,
} from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { type Deferred, deferred } from './deferred.ts';

/** What a request is refused with. */
export class Refused extends Error {
  /** The code of the reply. */
  readonly code: string;

  constructor(code: string) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

type Handlers = {
  [Name in OperationName]?: (request: RequestOf<Name>, standard: () => unknown) => unknown;
};

interface Session {
  challenge?: Hex;
  address?: Hex;
}

/** A coordinator that does what a test says: real sockets and signatures, no rules. */
export interface ScriptedCoordinator {
  /** Its address. */
  readonly url: string;
  /** What the chain would say. */
  readonly facts: ChainFacts;
  /** Replaces or wraps the answer to a request; throwing {@link Refused} refuses it. */
  readonly handlers: Handlers;
  /** Looks at HTTP requests first; answers true if it has dealt with one. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Every valid request so far, in order. */
  readonly requests: { readonly name: OperationName; readonly payload: unknown }[];
  /** Blobs by address. */
  readonly blobs: Map<Hex, Uint8Array>;
  /** Parts that arrived, by update root and number. */
  readonly parts: Map<string, Uint8Array>;
  /** Tokens that open the bulk plane. */
  readonly tokens: Set<string>;
  /** Tells everybody where the job stands from now on. */
  say(state: Partial<JobStateMessage>): void;
  /** Opens a round. */
  open(plan: RoundPlan): void;
  /** Payloads of the requests of one kind so far. */
  payloads<Name extends OperationName>(name: Name): RequestOf<Name>[];
  /** Resolves when so many requests of one kind have been answered. */
  answered(name: OperationName, count: number): Promise<void>;
  /** Breaks every connection. */
  drop(): void;
  /** Ends it. */
  close(): Promise<void>;
}

/** Starts a coordinator on a free port of this machine; `onChain` is what a real chain says otherwise. */
export async function startScriptedCoordinator(
  terms: JobTerms,
  models: readonly { readonly root: Hex; readonly vector: Int32Array }[],
  signer: Signer = createWallet(`0x${'c0'.repeat(32)}`),
  onChain: Partial<ChainFacts> = {},
): Promise<ScriptedCoordinator> {
  const { job, manifest } = terms;
  const facts: ChainFacts = {
    chainId: 31337n,
    anchor: `0x${'a1'.repeat(20)}`,
    job,
    manifestHash: job,
    fixedPlanHash: terms.fixedPlanHash,
    tensorTableRoot: terms.tensorTableRoot,
    genesisModelRoot: manifest.initialModelRoot,
    coordinator: signer.address,
    ...onChain,
  };
  let state: JobStateMessage = {
    job,
    phase: 'open',
    round: 0,
    modelRoot: manifest.initialModelRoot,
    plan: null,
    remainingMs: null,
    reason: null,
  };
  const blobs = new Map<Hex, Uint8Array>([[job, terms.manifestBytes]]);
  for (const { root, vector } of models) blobs.set(root, vectorBytes(vector));
  const offers = new Map<Hex, readonly Hex[]>();
  const parts = new Map<string, Uint8Array>();
  const tokens = new Set<string>();
  const requests: ScriptedCoordinator['requests'] = [];
  const answeredNames: OperationName[] = [];
  const waiting: { name: OperationName; count: number; done: Deferred<void> }[] = [];
  let issued = 0;

  const standard = (name: OperationName, payload: unknown, session: Session): unknown => {
    switch (name) {
      case 'session.challenge': {
        const { address } = payload as RequestOf<'session.challenge'>;
        session.address = address;
        session.challenge = toHex(new Uint8Array(32).fill(++issued));
        const { coordinator, chainId, anchor } = facts;
        return { challenge: session.challenge, coordinator, chainId: String(chainId), anchor, job };
      }
      case 'session.open': {
        const { signature } = payload as RequestOf<'session.open'>;
        const message = { coordinator: facts.coordinator, role: 'participant', challenge: session.challenge as Hex };
        if (recoverAddress(typedDataDigest(facts, SESSION_TYPE, message), signature) !== session.address) {
          throw new Refused('session/bad-signature');
        }
        const token = `token-${++issued}`;
        tokens.add(token);
        return { token };
      }
      case 'update.offer': {
        const { updateRoot, partRoots } = payload as RequestOf<'update.offer'>;
        offers.set(updateRoot, partRoots);
        return { missing: partRoots.map((_, part) => part).filter((part) => !parts.has(`${updateRoot}/${part}`)) };
      }
      case 'update.submit': {
        const { statement } = payload as RequestOf<'update.submit'>;
        return { receipt: signReceipt(signer, facts, statement, session.address as Hex, 'accepted') };
      }
      case 'round.decline':
      case 'metrics.report':
        return {};
      default:
        return { state };
    }
  };

  const serve = async (session: Session, name: string, payload: unknown): Promise<unknown> => {
    const operation = OPERATIONS[name as OperationName];
    const parsed = operation?.request.safeParse(payload);
    if (!parsed?.success) return { ok: false, code: 'request/invalid', message: `${name}: ${parsed?.error.message}` };
    const known = name as OperationName;
    requests.push({ name: known, payload: parsed.data });
    try {
      const handler = handlers[known] as ((request: unknown, standard: () => unknown) => unknown) | undefined;
      const usual = () => standard(known, parsed.data, session);
      const answer = await (handler ? handler(parsed.data, usual) : usual());
      return { ok: true, answer };
    } catch (error) {
      return { ok: false, code: (error as Refused).code ?? 'test/failed', message: (error as Error).message };
    }
  };

  const http = createServer((request, response) => {
    if (coordinator.intercept(request, response)) return;
    void serveBulk(request, response);
  });
  const serveBulk = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const end = (status: number, body: unknown = '') => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === '' ? '' : JSON.stringify(body));
    };
    const body: Uint8Array[] = [];
    for await (const chunk of request) body.push(chunk as Uint8Array);
    if (request.url === '/healthz') return end(200, { status: 'ok' });
    if (!tokens.has(request.headers.authorization?.replace('Bearer ', '') ?? '')) {
      return end(401, { code: 'session/not-open', message: 'no session' });
    }
    const [, , , kind, root, , part] = (request.url ?? '').split('/');
    if (kind === 'blobs') {
      const bytes = blobs.get(root as Hex);
      if (!bytes) return end(404, { code: 'blob/missing', message: `there is no blob ${root}` });
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
      response.end(bytes.subarray(from));
      return;
    }
    const offered = offers.get(root as Hex);
    const key = `${root}/${part}`;
    if (request.method === 'HEAD') return end(parts.has(key) ? 200 : 404);
    if (!offered) return end(404, { code: 'upload/no-offer', message: 'offer first' });
    const bytes = Buffer.concat(body);
    if (toHex(partRoot(bytes, offered.length === 1)) !== offered[Number(part)]) {
      return end(400, { code: 'upload/root-mismatch', message: 'not the part that was offered' });
    }
    parts.set(key, new Uint8Array(bytes));
    return end(204);
  };

  const io = new Server(http, { parser: { Encoder, Decoder }, serveClient: false, transports: ['websocket'] });
  io.on('connection', (socket: Socket) => {
    const session: Session = {};
    socket.onAny(async (name: string, payload: unknown, acknowledge: (reply: unknown) => void) => {
      const reply = await serve(session, name, payload);
      if (reply === undefined) return;
      acknowledge(reply);
      answeredNames.push(name as OperationName);
      for (const each of waiting) {
        if (answeredNames.filter((one) => one === each.name).length >= each.count) each.done.resolve();
      }
    });
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });

  const handlers: Handlers = {};
  const coordinator: ScriptedCoordinator = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    facts,
    handlers,
    intercept: () => false,
    requests,
    blobs,
    parts,
    tokens,
    say: (next) => {
      state = { ...state, ...next };
      io.emit(NOTICES.jobState, state);
    },
    open: (plan) => {
      coordinator.say({
        phase: 'collecting',
        round: plan.round - 1,
        modelRoot: plan.parentRoot,
        plan,
        remainingMs: 60_000,
      });
    },
    payloads: <Name extends OperationName>(name: Name) =>
      requests.flatMap((request) => (request.name === name ? [request.payload as RequestOf<Name>] : [])),
    answered: (name, count) => {
      const done = deferred<void>();
      if (answeredNames.filter((one) => one === name).length >= count) done.resolve();
      waiting.push({ name, count, done });
      return done.promise;
    },
    drop: () => {
      // As when the network fails: below socket.io, which therefore connects again by itself.
      for (const socket of io.sockets.sockets.values()) socket.conn.close();
    },
    close: async () => {
      await io.close();
      http.closeAllConnections();
    },
  };
  return coordinator;
}

/** A receipt as a coordinator would sign it. */
export function signReceipt(
  signer: Signer,
  facts: ChainFacts,
  { job, round, attempt, updateRoot }: RequestOf<'update.submit'>['statement'],
  participant: Hex,
  verdict: Verdict,
  code = '',
) {
  const receipt = { job, round, attempt, participant, updateRoot, verdict, code };
  return { ...receipt, signature: signer.signDigest(receiptDigest(facts, receipt)) };
}
