import { beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../client/log.ts';
import { type ClientOptions, createClient } from '../../client/run.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Collecting } from '../../coordinator/round/state.ts';
import type { Hex } from '../../shared/bytes.ts';
import { int16Vector, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { createRng } from '../../shared/rng.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import type { WireFormat } from '../../shared/wire/format.ts';
import { wireFormat } from '../../shared/wire/wire-format.ts';
import type { WireTerms } from '../../shared/wire/wire-terms.ts';
import { createToyTrainer } from '../client/toy-job.ts';
import {
  COORDINATOR,
  createQuietLog,
  DOMAIN,
  offerOf,
  signStatement,
  statementOf,
  temporaryFolder,
  updateOf,
  WALLETS,
} from './fixture.ts';
import { contribute, until } from './runner-harness.ts';
import { answerOf, openSession, sendPart, startServer, type TestServer } from './server-harness.ts';

beforeAll(usePlatformHashing);

const FORMATS: readonly WireTerms[] = [
  { format: 'int16', errorFeedback: true },
  { format: 'int8' },
  { format: 'int4', errorFeedback: true },
  { format: 'topk', keepPerMille: 50, errorFeedback: true },
];

/** A client as organizations run it, but for its trainer, over real sockets. */
async function runClient({ url, world }: TestServer, signer: Signer, seed: number) {
  const { terms } = world.job;
  const quiet = createQuietLog();
  const log: Log = { debug: () => {}, info: () => {}, warn: quiet.warn, error: quiet.error };
  const options: ClientOptions = {
    coordinatorUrl: url,
    facts: {
      ...{ ...DOMAIN, job: terms.job, manifestHash: terms.job, fixedPlanHash: terms.fixedPlanHash },
      ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: terms.manifest.initialModelRoot },
      coordinator: COORDINATOR.address,
    },
    ...{ signer, createTrainer: async () => createToyTrainer(), stateDir: await temporaryFolder(), seed, log },
    pauses: { firstDelayMs: 1, mostDelayMs: 5 },
  };
  return { quiet, outcome: await createClient(options).run() };
}

/** Roots of the updates that the job's rounds were made of. */
function admitted({ life }: TestServer): Hex[] {
  const events = life.runner.history;
  return events.flatMap((event) => (event.type === 'updateAccepted' ? [event.statement.updateRoot] : []));
}

describe.each(FORMATS)('a job whose updates travel as $format', (wire) => {
  it('runs to its end with real clients; what is stored is int16 that the format carries', async () => {
    const server = await startServer({ rounds: 3, wire }, { now: Date.now });
    const clients = await Promise.all(WALLETS.map((signer, index) => runClient(server, signer, 7 + index)));
    for (const { quiet, outcome } of clients) {
      expect(outcome).toMatchObject({ kind: 'closed', rounds: 3 });
      expect([...quiet.warnings, ...quiet.errors]).toEqual([]);
    }
    const roots = admitted(server);
    expect(roots).toHaveLength(12);
    const { blobs, job } = server.world;
    for (const root of roots) {
      const update = int16Vector((await blobs.get(root)) as Uint8Array);
      expect(update).toHaveLength(job.terms.layout.dimension);
      expect(update.some((value) => value !== 0)).toBe(true);
      const format = wireFormat(wire);
      if (format) expect(format.decodePart(format.encodePart(update), update.length)).toEqual(update);
      if (wire.format === 'topk') expect(update.filter((value) => value !== 0).length).toBeLessThanOrEqual(9);
    }
  });
});

describe('the coordinator of a job whose updates travel in 4 bits', () => {
  const wire: WireTerms = { format: 'int4' };
  const format = wireFormat(wire) as WireFormat;

  /** A participant who has offered an update that the format carries, with what it can send of it. */
  async function offered() {
    const server = await startServer({ wire });
    const { life, world } = server;
    const { terms } = world.job;
    for (const { address } of WALLETS) await life.runner.join(address);
    const { plan } = (await until(life, ({ phase }) => phase === 'collecting')) as Collecting;
    const [signer] = WALLETS as [Signer, ...Signer[]];
    const session = await openSession(server, signer);
    await session.request('job.join', { job: terms.job });
    const update = format.restrict(updateOf(terms, signer.address, plan), createRng(1)).vector;
    const { round, attempt } = plan;
    const offer = offerOf(vectorBytes(update));
    answerOf(await session.request('update.offer', { job: terms.job, round, attempt, ...offer }));
    const put = async (body: Uint8Array): Promise<[number, string?]> => {
      const response = await sendPart(server, { root: offer.updateRoot, token: session.token }, body);
      return response.status === 204 ? [204] : [response.status, ((await response.json()) as { code: string }).code];
    };
    return { server, signer, plan, update, put, root: offer.updateRoot };
  }

  it('takes the coded part, keeps it as it is committed to, and admits the update', async () => {
    const { server, signer, plan, update, put, root } = await offered();
    const coded = format.encodePart(update);
    expect(coded).toHaveLength(1 + 3 * 33);
    expect(await put(coded)).toEqual([204]);
    expect(await put(coded)).toEqual([204]);
    const stored = await server.life.uploads.assemble(signer.address, root);
    expect(Buffer.compare(stored, vectorBytes(update))).toBe(0);
    const statement = statementOf(server.world.job.terms, plan, update);
    const receipt = await server.life.runner.submit(signer.address, statement, signStatement(signer, statement));
    expect(receipt).toMatchObject({ verdict: 'accepted', updateRoot: root });
    const blob = await server.world.blobs.get(root);
    expect(Buffer.compare(blob as Uint8Array, vectorBytes(update))).toBe(0);
  });

  it('refuses what is no part of that update, and keeps nothing of it', async () => {
    const { server, signer, update, put, root } = await offered();
    const coded = format.encodePart(update);
    const other = format.encodePart(
      format.restrict(
        update.map((value) => -value),
        createRng(1),
      ).vector,
    );
    expect(await put(vectorBytes(update))).toEqual([400, 'upload/malformed-part']);
    expect(await put(coded.subarray(1))).toEqual([400, 'upload/malformed-part']);
    expect(await put(Uint8Array.from(coded, (byte, at) => (at === 1 ? 11 : byte)))).toEqual([
      400,
      'upload/malformed-part',
    ]);
    expect(await put(other)).toEqual([400, 'upload/root-mismatch']);
    expect(await server.life.uploads.hasPart(signer.address, root, 0)).toBe(false);
    expect(await put(coded)).toEqual([204]);
  });

  it('refuses parts as they are from a client that knows nothing of the format', async () => {
    const { server } = await offered();
    const [, signer] = WALLETS as [Signer, Signer];
    await expect(contribute(server.life, server.world, signer)).rejects.toMatchObject({
      code: 'upload/malformed-part',
    });
  });
});
