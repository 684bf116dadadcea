import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { initialState, type JobState, jobRules } from '../../coordinator/round/state.ts';
import { step } from '../../coordinator/round/step.ts';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { WALLETS } from './fixture.ts';
import { contribute, createWorld, type Life, logOf, startLife, until } from './runner-harness.ts';

/** A job as it happened, with all that is needed to live it again. */
export interface History {
  readonly manifest: Manifest;
  /** The seed chain, its start being public. */
  readonly seeds: readonly Hex[];
  /** Base 64 of the first model and of every admitted update, by root. */
  readonly blobs: Readonly<Record<Hex, string>>;
  readonly events: readonly JobEvent[];
  /** keccak256 of the canonical JSON of the state after each event. */
  readonly states: readonly Hex[];
  /** The last state in full. */
  readonly end: Json;
}

/** A state as canonical JSON can hold it. */
export function stateJson(state: JobState): Json {
  return JSON.parse(
    JSON.stringify(state, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
  ) as Json;
}

/** The state after each event. */
export function statesOf(
  { job, manifest }: Pick<JobTerms, 'job' | 'manifest'>,
  events: readonly JobEvent[],
): JobState[] {
  const rules = jobRules(job, manifest);
  let state: JobState = initialState(manifest);
  return events.map((event) => {
    state = step(rules, state, event).state;
    return state;
  });
}

export function stateDigest(state: JobState): Hex {
  return toHex(keccak_256(utf8(canonicalJson(stateJson(state)))));
}

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];

/**
 * Lives through a job of three rounds in which about everything happens that may: a rejected and a late submission, a
 * decline, a missed quorum, a guest, a restart amid a round, a second update, metrics, and one who leaves.
 */
export async function recordHistory(): Promise<History> {
  const world = await createWorld({ participation: { deadlineMs: 300 } });
  const { terms, seeds, model } = world.job;
  let clockMs = 1_750_000_000_000;
  const now = (): number => clockMs;
  const tick = (byMs = 1): void => {
    clockMs += byMs;
  };
  let life: Life = await startLife(world, { now });
  const send = async (signer: Signer, plan: { round: number; attempt: number }, restate = {}): Promise<void> => {
    tick();
    const state = life.runner.state;
    const parentRoot = state.progress.modelRoot;
    const { updateBits } = state.progress;
    await contribute(
      life,
      world,
      signer,
      { plan: { ...plan, parentRoot, updateBits, seedIndex: plan.round + plan.attempt } },
      restate,
    );
  };
  const decline = async (signer: Signer, plan: { round: number; attempt: number }): Promise<void> => {
    tick();
    await life.runner.decline({
      participant: signer.address,
      ...plan,
      code: 'trainer/failed',
      message: 'out of memory',
    });
  };
  const opened = (round: number, attempt: number) =>
    until(
      life,
      (state) => state.phase === 'collecting' && state.plan.round === round && state.plan.attempt === attempt,
    );

  for (const { address } of WALLETS) {
    tick();
    await life.runner.join(address);
  }
  const first = { round: 1, attempt: 0 };
  await send(A, first);
  await send(B, first, { samples: 0 });
  await decline(C, first);
  tick(300);
  await opened(1, 1);

  const again = { round: 1, attempt: 1 };
  await send(B, first);
  await send(D, again);
  await send(C, again);
  await send(B, again);
  await send(A, again);
  await opened(2, 1);

  tick();
  await life.runner.report({
    ...{ participant: A.address, round: 1, modelRoot: life.runner.state.progress.modelRoot },
    ...{ correct: 17, total: 40, lossSum: 61.25, constantCorrect: 9 },
  });
  const second = { round: 2, attempt: 1 };
  await send(A, second);
  await send(B, second);
  await life.stop();
  tick(5000);
  life = await startLife(world, { now });
  await send(A, second, { updateRoot: terms.job });
  await decline(C, second);
  await send(D, second);
  await opened(3, 1);

  const third = { round: 3, attempt: 1 };
  await send(C, third);
  await send(B, third);
  tick();
  await life.runner.leave(D.address);
  await send(A, third);
  tick(300);
  await until(life, ({ phase }) => phase === 'closed');

  const events = (await logOf(world)).map(
    (event): JobEvent =>
      // How long things took is the machine's, not the job's.
      event.type === 'roundAggregated' ? { ...event, aggregationMs: 0, closeMs: 0 } : event,
  );
  const blobs: Record<Hex, string> = {
    [terms.manifest.initialModelRoot]: Buffer.from(vectorBytes(model)).toString('base64'),
  };
  for (const event of events) {
    if (event.type !== 'updateAccepted') continue;
    const { updateRoot } = event.statement;
    blobs[updateRoot] = Buffer.from((await world.blobs.get(updateRoot)) as Uint8Array).toString('base64');
  }
  const states = statesOf(terms, events);
  const end = stateJson(states.at(-1) as JobState);
  return { manifest: terms.manifest, seeds, blobs, events, states: states.map(stateDigest), end };
}

/** The text of a recorded history: canonical members, an event a line. */
export function historyText({ events, ...rest }: History): string {
  const lines = events.map((event) => `    ${canonicalJson(event as unknown as Json)}`).join(',\n');
  const members = Object.entries(rest).map(
    ([name, value]) => `  "${name}": ${canonicalJson(value as unknown as Json)}`,
  );
  return `{\n${members.join(',\n')},\n  "events": [\n${lines}\n  ]\n}\n`;
}
